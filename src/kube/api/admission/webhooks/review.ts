/** AdmissionReview, admission.k8s.io/v1: what a webhook is asked, and what it may answer. Pure. */
import { randomUUID } from "node:crypto"
import { at, isTree, listAt, textAt, type Tree } from "../../../field.ts"
import { jsonPatch } from "../../patch/json-patch.ts"
import { statusError } from "../../status.ts"
import type { Attributes } from "./hook.ts"

const VERSION = "admission.k8s.io/v1"
const MAX_WARNINGS = 20
const MAX_WARNING_CHARACTERS = 256
/** Of a message that refuses: it is one line of a client's output. */
const MAX_MESSAGE_CHARACTERS = 4096
const [LEAST_CODE, MOST_CODE] = [400, 599]

/** What a webhook said of a request that it allows. */
export interface Allowed {
  patch?: unknown
  warnings: readonly string[]
}

/** The request in `version`, one of those that the kind has. */
export function reviewOf(attributes: Attributes, version: string): Tree & { request: Tree & { uid: string } } {
  const { kind, subresource, namespace, name, operation, user, object, old, isDryRun, options } = attributes
  const named = object ?? old
  const own = kindOfObject(attributes)
  const resource = { group: kind.group, version, resource: kind.plural }
  const converted = (one: Tree | undefined): Tree | null =>
    one === undefined ? null : inVersion(one, attributes, version)
  return {
    kind: "AdmissionReview",
    apiVersion: VERSION,
    request: {
      uid: randomUUID(),
      kind: own ?? { group: kind.group, version, kind: kind.kind },
      resource,
      ...(subresource !== undefined && { subResource: subresource }),
      requestKind: own ?? { group: kind.group, version: attributes.version, kind: kind.kind },
      requestResource: { ...resource, version: attributes.version },
      ...(subresource !== undefined && { requestSubResource: subresource }),
      ...((name || textAt(named, "metadata", "name")) && { name: name || textAt(named, "metadata", "name") }),
      ...(namespace !== undefined && { namespace }),
      operation,
      userInfo: {
        username: user.name,
        ...(user.uid !== undefined && { uid: user.uid }),
        groups: user.groups,
        ...(user.extra !== undefined && { extra: user.extra }),
      },
      object: converted(object),
      oldObject: converted(old),
      dryRun: isDryRun,
      options: options ?? null,
    },
  }
}

/** Of what is sent to a part of an object and is none of its kind: Scale, Eviction, PodExecOptions. */
function kindOfObject({ object, old, kind }: Attributes): Tree | undefined {
  const named = object ?? old
  const own = textAt(named, "kind")
  if (own === "" || own === kind.kind) return undefined
  const [group = "", version = ""] = splitVersion(textAt(named, "apiVersion"))
  return { group, version, kind: own }
}

function splitVersion(text: string): string[] {
  return text.includes("/") ? text.split("/") : ["", text]
}

/** Versions of a kind are of one shape here. */
function inVersion(object: Tree, attributes: Attributes, version: string): Tree {
  const { kind } = attributes
  if (textAt(object, "kind") !== kind.kind) return object
  return { ...object, apiVersion: kind.group === "" ? version : `${kind.group}/${version}` }
}

/** Reads an answer. Throws what a webhook refuses with, marked as its word; and Error for what is no answer. */
export function readAnswer(hook: { name: string; isMutating: boolean }, uid: string, answer: unknown): Allowed {
  if (!isTree(answer) || textAt(answer, "kind") !== "AdmissionReview" || textAt(answer, "apiVersion") !== VERSION)
    throw new Error(
      `expected webhook response of ${VERSION}, Kind=AdmissionReview, got ${textAt(answer, "apiVersion")}, Kind=${textAt(answer, "kind")}`,
    )
  const response = answer["response"]
  if (!isTree(response)) throw new Error("webhook response was absent")
  if (textAt(response, "uid") !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(textAt(response, "uid"))}`)
  const warnings = listAt(response, "warnings").map(String).slice(0, MAX_WARNINGS).map(warningText)
  if (response["allowed"] !== true) throw Object.assign(refusal(hook.name, response["status"]), { warnings })
  const patch = textAt(response, "patch")
  if (patch === "") return { warnings }
  if (!hook.isMutating) throw new Error("a validating webhook may not have response.patch")
  if (response["patchType"] !== "JSONPatch")
    throw new Error(
      `webhook returned response.patchType=${JSON.stringify(response["patchType"] ?? "")}, only JSONPatch is known`,
    )
  return { patch: JSON.parse(Buffer.from(patch, "base64").toString("utf8")) as unknown, warnings }
}

/** A header of one line. */
function warningText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001F\u007F]+/g, " ").slice(0, MAX_WARNING_CHARACTERS)
}

function refusal(name: string, status: unknown): Error {
  const reason = textAt(status, "reason")
  const said = (textAt(status, "message") || reason).slice(0, MAX_MESSAGE_CHARACTERS)
  const denied = `admission webhook "${name}" denied the request`
  const code = Number(at(status, "code"))
  const details = at(status, "details")
  return statusError("PermissionDenied", said === "" ? `${denied} without explanation` : `${denied}: ${said}`, {
    reason,
    httpCode: Number.isSafeInteger(code) && code >= LEAST_CODE && code <= MOST_CODE ? code : LEAST_CODE,
    ...(Array.isArray(at(details, "causes")) && { causes: listAt(details, "causes").slice(0, MAX_WARNINGS) as never }),
  })
}

/** What its patch makes of an object. Throws Error for a patch that cannot be done, or makes another object of it. */
export function patchedBy(object: Tree, patch: unknown): Tree {
  const next = jsonPatch(object, patch)
  const before = isTree(object["metadata"]) ? object["metadata"] : undefined
  if (before === undefined) return next
  const metadata = isTree(next["metadata"]) ? { ...next["metadata"] } : {}
  // which object it is, and who manages its fields, is no webhook's to say
  for (const key of ["name", "namespace", "uid", "resourceVersion", "generateName", "managedFields"]) {
    if (before[key] === undefined) delete metadata[key]
    else metadata[key] = before[key]
  }
  return { ...next, apiVersion: object["apiVersion"], kind: object["kind"], metadata }
}
