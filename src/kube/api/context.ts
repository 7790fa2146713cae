import type { ResourceKind } from "../objects/kinds.ts"
import { resourceKey } from "../objects/kinds.ts"
import type { KubeObjects } from "../objects/objects.ts"
import { at, isTree, listAt, textAt, type Tree } from "../field.ts"
import type { ApiRequest, ApiUser } from "./api.ts"
import type { Gate } from "./admission/webhooks/gate.ts"
import type { HookNetwork } from "./admission/webhooks/call.ts"
import type { Target } from "./route.ts"
import { decode } from "./schema/decode.ts"
import { customDefinition, definitionName, kindDefinition, type Definition } from "./schema/schema.ts"
import { badRequest, statusError } from "./status.ts"
import { isSkiffError } from "../../base/errors.ts"

const DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"

/** What a request on a resource is answered with the help of. */
export interface ApiDeps {
  objects: KubeObjects
  /** One transaction; what throws leaves nothing. */
  transaction<T>(body: () => T): T
  /** How webhooks of admission that are Services are reached; undefined: not from here. */
  hookNetwork?: HookNetwork | undefined
}

/** A request on a resource, read once. */
export interface ResourceRequest {
  request: ApiRequest
  deps: ApiDeps
  user: ApiUser
  target: Target
  kind: ResourceKind
  /** `deployments.apps`. */
  resource: string
  query: URLSearchParams
  definition: Definition
  isDryRun: boolean
  warnings: string[]
  /** Of a request that changes something, where there are webhooks of admission. */
  gate?: Gate | undefined
}

/** Reads what all requests have. Throws BadRequest. */
export function readRequest(request: ApiRequest, target: Target, deps: ApiDeps): ResourceRequest {
  const query = request.query ?? new URLSearchParams()
  const dryRun = query.getAll("dryRun")
  const body = isTree(request.body) ? request.body : {}
  const inBody = request.method === "DELETE" ? listAt(body, "dryRun") : []
  for (const one of [...dryRun, ...inBody])
    if (one !== "All" && one !== "")
      throw statusError("InvalidArgument", `dryRun: Unsupported value: "${String(one)}": supported values: "All"`, {
        reason: "Invalid",
      })
  return {
    request,
    deps,
    user: request.user,
    target,
    kind: target.kind,
    resource: resourceKey(target.kind),
    query,
    get definition() {
      return definitionFor(target.kind, target.version, deps.objects)
    },
    isDryRun: dryRun.includes("All") || inBody.includes("All"),
    warnings: [],
  }
}

/** What objects of a kind look like, by our table or by what its definition says. */
export function definitionFor(kind: ResourceKind, version: string, objects: KubeObjects): Definition {
  if (kind.isCustom !== true) return kindDefinition(kind.group, version, kind.kind)
  const definition = objects.find(DEFINITIONS, resourceKey(kind))
  const found = listAt(definition, "spec", "versions").find((one) => textAt(one, "name") === version)
  return customDefinition(definitionName(kind.group, version, kind.kind), at(found, "schema", "openAPIV3Schema"))
}

/** Who manages the fields that a request writes (apiserver, managerOrUserAgent). */
export function managerOf({ query, request }: ResourceRequest): string {
  const asked = query.get("fieldManager") ?? ""
  if (asked.length > 128) throw badRequest("fieldManager: Too long: may not be more than 128 bytes")
  return asked || (request.userAgent ?? "").split("/")[0] || "unknown"
}

/** `apps/v1` of a target. */
export function versionOf({ target }: Pick<ResourceRequest, "target">): string {
  const { group } = target.kind
  return group === "" ? target.version : `${group}/${target.version}`
}

/** Whether a read that is tried finds no such thing. */
export function isMissing(error: unknown): boolean {
  return isSkiffError(error, "NotFound")
}

/**
 * An object of a request as its kind has it. `fieldValidation` says what becomes of fields that it has not: refused, told of, or left out.
 * Throws BadRequest.
 */
export function decodeObject(context: ResourceRequest, body: unknown, definition = context.definition): Tree {
  const { kind, target, query, warnings } = context
  if (!isTree(body)) throw badRequest(`the body of the request was in an unknown format: an object is expected`)
  const title = `${kind.kind} in version "${target.version}" cannot be handled as a ${kind.kind}: `
  const version = textAt(body, "apiVersion")
  if (version !== "" && version !== versionOf(context))
    throw badRequest(
      `the API version in the data (${version}) does not match the expected API version (${versionOf(context)})`,
    )
  const named = textAt(body, "kind")
  if (named !== "" && named !== kind.kind)
    throw badRequest(`the object's kind is "${named}", this is where ${kind.kind} objects are`)
  let decoded
  try {
    decoded = decode(body, definition)
  } catch (error) {
    if (!isSkiffError(error)) throw error
    throw error.restated(title + error.message)
  }
  const { value, faults } = decoded
  const mode = query.get("fieldValidation") ?? "Warn"
  if (!["", "Strict", "Warn", "Ignore"].includes(mode))
    throw statusError(
      "InvalidArgument",
      `fieldValidation: Unsupported value: "${mode}": supported values: "Ignore", "Strict", "Warn"`,
      {
        reason: "Invalid",
      },
    )
  if (faults.length > 0 && mode === "Strict") throw badRequest(`${title}strict decoding error: ${faults.join(", ")}`)
  if (mode === "Warn" || mode === "") warnings.push(...faults)
  return { ...value, apiVersion: versionOf(context), kind: kind.kind }
}
