import { textAt, textsAt, treeAt } from "../../field.ts"
import type { KubeObjects, StoredObject } from "../../objects/objects.ts"
import type { Tokens } from "../tokens.ts"
import { ROOT_AUTHORITY } from "./service-account.ts"

const ACCOUNT = "kubernetes.io/service-account.name"
const ACCOUNT_UID = "kubernetes.io/service-account.uid"
/** As long as tokens hold here; a cluster's would hold for ever. */
const SECONDS = 365 * 86_400

const base64 = (text: string): string => Buffer.from(text).toString("base64")

/**
 * Fills a Secret that asks for the token of an account by its type and annotation, as clusters' token controller does: the token ends with the Secret. Nothing is
 * filled in for an account that is not there. Changes `secret`.
 */
export function fillTokenSecret(
  objects: Pick<KubeObjects, "find">,
  tokens: Pick<Tokens, "issue"> | undefined,
  secret: StoredObject,
): void {
  if (tokens === undefined || textAt(secret, "type") !== "kubernetes.io/service-account-token") return
  const { namespace = "default", name: secretName, uid: secretUid } = secret.metadata
  const name = textsAt(secret, "metadata", "annotations")[ACCOUNT] ?? ""
  const account = objects.find("serviceaccounts", name, namespace)
  const data = treeAt(secret, "data")
  if (account === undefined || textAt(data, "token") !== "") return
  const { uid } = account.metadata
  const bound = { kind: "Secret", name: secretName, uid: secretUid } as const
  const { token } = tokens.issue({ namespace, name, uid }, { seconds: SECONDS, bound })
  const authority = textAt(objects.find("configmaps", ROOT_AUTHORITY, namespace), "data", "ca.crt")
  secret["data"] = {
    ...data,
    token: base64(token),
    namespace: base64(namespace),
    ...(authority !== "" && { "ca.crt": base64(authority) }),
  }
  secret.metadata = { ...secret.metadata, annotations: { ...secret.metadata.annotations, [ACCOUNT_UID]: uid } }
}
