import { listAt, numberAt, textAt, treeAt } from "../field.ts"
import type { ApiResponse } from "./api.ts"
import type { ResourceRequest } from "./context.ts"
import { badRequest, invalid, statusError } from "./status.ts"
import { ISSUER, type BoundObject, type Tokens } from "./tokens.ts"
import { methodNotAllowed, read } from "./write.ts"

const [LEAST_SECONDS, MOST_SECONDS] = [600, 2 ** 32]
const USUAL_SECONDS = 3600

/** A token by which a service account is known (authentication.k8s.io/v1 TokenRequest). */
export function tokenFor(context: ResourceRequest, tokens: Tokens): ApiResponse {
  const { request, target } = context
  if (request.method !== "POST") throw methodNotAllowed()
  const { metadata } = read(context)
  const { name, namespace = "default", uid } = metadata
  const seconds = numberAt(request.body, "spec", "expirationSeconds") ?? USUAL_SECONDS
  const fault = (message: string): Error =>
    invalid("TokenRequest", "authentication.k8s.io", "", [
      {
        reason: "FieldValueInvalid",
        field: "spec.expirationSeconds",
        message: `Invalid value: ${seconds}: ${message}`,
      },
    ])
  if (seconds < LEAST_SECONDS) throw fault("may not specify a duration less than 10 minutes")
  if (seconds > MOST_SECONDS) throw fault("may not specify a duration larger than 2^32 seconds")
  const asked = listAt(request.body, "spec", "audiences").map(String)
  const audiences = asked.length > 0 ? asked : [ISSUER]
  const bound = boundTo(context, namespace)
  const { token, expiresAt } = tokens.issue({ namespace, name, uid }, { seconds, audiences, bound })
  return {
    status: 201,
    body: {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name: target.name, namespace: target.namespace, creationTimestamp: null },
      spec: {
        audiences,
        expirationSeconds: seconds,
        boundObjectRef: bound === undefined ? null : { apiVersion: "v1", ...bound },
      },
      status: { token, expirationTimestamp: new Date(expiresAt).toISOString().replace(/\.\d+Z$/, "Z") },
    },
  }
}

/** What the token is to end with, looked up: nobody has one that is bound to what is not there. */
function boundTo({ request, deps }: ResourceRequest, namespace: string): BoundObject | undefined {
  const ref = treeAt(request.body, "spec", "boundObjectRef")
  if (Object.keys(ref).length === 0) return undefined
  const kind = (["Pod", "Secret"] as const).find((one) => one === textAt(ref, "kind"))
  if (kind === undefined) throw badRequest(`cannot bind token for serviceaccount to object type ${textAt(ref, "kind")}`)
  const name = textAt(ref, "name")
  const found = deps.objects.get(kind === "Pod" ? "pods" : "secrets", name, namespace)
  const asked = textAt(ref, "uid")
  if (asked !== "" && asked !== found.metadata.uid)
    throw statusError(
      "FailedPrecondition",
      `Operation cannot be fulfilled on ${kind} "${name}": the UID in the bound object reference (${asked}) does not match the UID in record. The object might have been deleted and then recreated`,
      { reason: "Conflict", name },
    )
  return { kind, name, uid: found.metadata.uid }
}
