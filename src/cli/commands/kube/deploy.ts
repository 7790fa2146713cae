import { InvalidArgument, isSkiffError, Unavailable } from "../../../base/errors.ts"
import {
  applyObject,
  at,
  isTree,
  listAt,
  podSelector,
  rolloutState,
  textAt,
  titleOf,
  undoPatch,
  type Applied,
  type KubeClient,
} from "../../../kube/kube.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { withBuiltImages } from "../../kube/deploy-images.ts"
import { FILE_FLAGS, PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { readSources } from "../../kube/sources.ts"
import type { Out } from "../../out.ts"

const ROLLED_OUT = new Set(["Deployment", "StatefulSet", "DaemonSet"])
const POLL_MS = 200
const TIMEOUT_MS = 300_000

export default kubeCommand({
  summary: "Build, push, try, apply and wait: from a directory to pods that are ready",
  description: "Images of workloads with the annotation skiff.dev/build are built from the directory that it names.",
  args: [],
  flags: {
    ...PLACE_FLAGS,
    ...FILE_FLAGS,
    push: flag.bool("Push what is built: always, with --context or --kubeconfig"),
    rollback: flag.bool("Undo the rollouts where one of them fails"),
    timeout: flag.duration("How long to wait for rollouts (default 5m)"),
    tlsVerify: flag.bool("Verify certificates of registries", { initial: true }),
  },
  async run({ flags, engine, out }) {
    using interrupt = new AbortOnInterrupt()
    const client = await openClient(engine, flags)
    const manifests = await withBuiltImages(await readSources(flags), {
      engine,
      isPushed: flags.push || !client.transport.isLocal,
      tlsVerify: flags.tlsVerify,
      signal: interrupt.signal,
      told: (text) => out.note(text),
    })
    const options = { namespace: flags.namespace, fieldValidation: "Strict" }
    const faults: string[] = []
    for (const { object, place } of manifests)
      await applyObject(client, object, { ...options, dryRun: true }).catch((error: unknown) => {
        if (!isSkiffError(error)) throw error
        faults.push(`${place}: ${error.message}`)
      })
    if (faults.length > 0) throw new InvalidArgument(`nothing was applied:\n${faults.join("\n")}`)
    const applied: Applied[] = []
    for (const { object } of manifests) {
      const one = await applyObject(client, object, options)
      applied.push(one)
      out.line(`${titleOf(one.kind, textAt(one.object, "metadata", "name"))} ${one.outcome}`)
    }
    const workloads = applied.filter(({ kind }) => ROLLED_OUT.has(kind.kind))
    try {
      const end = Date.now() + (flags.timeout ?? TIMEOUT_MS)
      for (const one of workloads) await follow(client, out, one, end, interrupt.signal)
    } catch (error) {
      if (flags.rollback) await rollBack(client, out, workloads)
      throw error
    }
  },
})

/** Until it is rolled out. Throws Unavailable with what keeps its pods. */
async function follow(client: KubeClient, out: Out, one: Applied, end: number, signal: AbortSignal): Promise<void> {
  const [name, namespace] = [textAt(one.object, "metadata", "name"), textAt(one.object, "metadata", "namespace")]
  for (;;) {
    const live = await client.get(one.kind, name, namespace)
    let failure = ""
    try {
      const { text, isDone } = rolloutState(live, 0)
      if (isDone) return out.line(text)
    } catch (error) {
      if (!isSkiffError(error)) throw error
      failure = error.message
    }
    if (signal.aborted) throw new Unavailable(`interrupted; ${titleOf(one.kind, name)} is not rolled out`)
    if (failure === "" && Date.now() > end) failure = "timed out"
    if (failure !== "") {
      const reasons = await reasonsOf(client, live)
      throw new Unavailable(`${titleOf(one.kind, name)} is not rolled out: ${[failure, ...reasons].join("\n")}`, {
        hint: `its events: skiff kube describe ${titleOf(one.kind, name)} -n ${namespace}`,
      })
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** What its containers wait for, or ended by. */
async function reasonsOf(client: KubeClient, object: Applied["object"]): Promise<string[]> {
  const reasons = new Set<string>()
  const selection = { namespace: textAt(object, "metadata", "namespace"), labelSelector: podSelector(object) }
  const { items } = await client.list(await client.kindNamed("pods"), selection)
  for (const pod of items)
    for (const status of listAt(pod, "status", "containerStatuses").filter(isTree)) {
      const waiting = at(status, "state", "waiting") ?? at(status, "state", "terminated")
      if (waiting !== undefined)
        reasons.add(
          `${textAt(pod, "metadata", "name")}/${textAt(status, "name")}: ${textAt(waiting, "reason")} ${textAt(waiting, "message")}`.trim(),
        )
    }
  return [...reasons].slice(0, 10)
}

/** To the revision before, where there is one and something was changed. */
async function rollBack(client: KubeClient, out: Out, workloads: readonly Applied[]): Promise<void> {
  for (const { kind, object, outcome } of workloads) {
    if (outcome !== "configured") continue
    const [name, namespace] = [textAt(object, "metadata", "name"), textAt(object, "metadata", "namespace")]
    try {
      const patch = await undoPatch(client, kind, await client.get(kind, name, namespace), 0)
      if (patch === undefined) continue
      await client.patch(kind, name, namespace, patch, { fieldManager: "kubectl-rollout" })
      out.note(`${titleOf(kind, name)} rolled back`)
    } catch (error) {
      out.note(
        `${titleOf(kind, name)} cannot be rolled back: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
}
