import { missingReference } from "../field-fault.ts"
import type { Tokens } from "../../api/tokens.ts"
import type { Cluster } from "../../controllers/cluster.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"

/** A token is replaced when so much of its time is over, or after a day (kubernetes: pkg/kubelet/token). */
const RENEWED_AT = 0.8
const LONGEST_MS = 24 * 3600 * 1000

interface GivenToken {
  token: string
  renewAt: number
  accountUid: string
}

/**
 * Tokens of one pod's service account, the same ones until it is time for new ones: its files are compared with what they should be at each look. They end
 * with the pod.
 */
export class PodTokens {
  readonly #tokens: Pick<Tokens, "issue">
  readonly #given = new Map<string, GivenToken>()

  constructor(tokens: Pick<Tokens, "issue">) {
    this.#tokens = tokens
  }

  /** When the first of them is to be replaced, in milliseconds since 1970; undefined: there is none. */
  get renewAt(): number | undefined {
    const all = [...this.#given.values()].map(({ renewAt }) => renewAt)
    return all.length === 0 ? undefined : Math.min(...all)
  }

  /** Throws NotFound for an account that is not there. */
  tokenFor(
    cluster: Cluster,
    pod: KeptPod,
    { audience, seconds }: { audience: string | undefined; seconds: number },
  ): string {
    const { name: podName, namespace = "default", uid: podUid } = pod.metadata
    const name = pod.spec?.serviceAccountName || "default"
    const account = cluster.find("serviceaccounts", name, namespace)
    if (account === undefined) throw missingReference("spec.serviceAccountName", `serviceaccounts "${name}" not found`)
    const { uid } = account.metadata
    const key = JSON.stringify([audience, seconds])
    const known = this.#given.get(key)
    if (known !== undefined && known.renewAt > Date.now() && known.accountUid === uid) return known.token
    const bound = { kind: "Pod", name: podName, uid: podUid } as const
    const { token, expiresAt } = this.#tokens.issue(
      { namespace, name, uid },
      { seconds, bound, ...(audience !== undefined && audience !== "" && { audiences: [audience] }) },
    )
    const now = Date.now()
    const renewAt = now + Math.min(LONGEST_MS, (expiresAt - now) * RENEWED_AT)
    this.#given.set(key, { token, renewAt, accountUid: uid })
    return token
  }
}
