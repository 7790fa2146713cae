import type { KubeObjects } from "../objects/objects.ts"
import type { ApiUser } from "./api.ts"
import { ISSUER, type Tokens } from "./tokens.ts"

/** Whom a token names, and for whom of those that were asked for it is meant. */
export interface KnownAccount {
  user: ApiUser
  audiences: readonly string[]
}

/**
 * Whom a token of a service account names. Undefined: it is none of ours, is meant for none of `audiences` (a token that was given to a vault is no key to
 * the API), or what it was bound to is gone: the account, the pod, the Secret.
 */
export function accountOf(
  objects: Pick<KubeObjects, "find">,
  tokens: Tokens,
  token: string,
  audiences: readonly string[] = [ISSUER],
): KnownAccount | undefined {
  const said = tokens.verify(token)
  if (said === undefined) return undefined
  const { namespace, name, uid, bound } = said
  const meant = audiences.filter((one) => said.audiences.includes(one))
  if (meant.length === 0) return undefined
  // a new account, or a new pod, of the same name is another
  if (objects.find("serviceaccounts", name, namespace)?.metadata.uid !== uid) return undefined
  const resource = bound?.kind === "Secret" ? "secrets" : "pods"
  if (bound && objects.find(resource, bound.name, namespace)?.metadata.uid !== bound.uid) return undefined
  return {
    audiences: meant,
    user: {
      name: `system:serviceaccount:${namespace}:${name}`,
      uid,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
      ...(bound?.kind === "Pod" && {
        extra: {
          "authentication.kubernetes.io/pod-name": [bound.name],
          "authentication.kubernetes.io/pod-uid": [bound.uid],
        },
      }),
    },
  }
}
