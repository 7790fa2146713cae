import { isDeepStrictEqual } from "node:util"
import { isSkiffError } from "../../base/errors.ts"
import { at, isTree, listAt, numberAt, textAt, textsAt, treeAt, withAt, type Tree } from "../field.ts"
import type { KubeObject } from "../kube-object.ts"
import type { StoredObject } from "../objects/objects.ts"
import type { ApiResponse } from "./api.ts"
import {
  checkNamespaceLabels,
  enforcePodSecurity,
  namespaceWarnings,
  podSecurityWarnings,
} from "./admission/pod-security/pod-security.ts"
import { applyLimits } from "./admission/limits.ts"
import { checkQuotas } from "./admission/quota.ts"
import { checkServiceAddresses } from "./admission/service-addresses.ts"
import { admitted, deletionAdmitted, partAdmitted } from "./admission/webhooks/admitted.ts"
import { authorize } from "./authorize.ts"
import { decodeObject, managerOf, versionOf, type ResourceRequest } from "./context.ts"
import { fillDefaults } from "./defaults/defaults.ts"
import { applyManaged, updateManaged } from "./managed/managed.ts"
import { jsonPatch, mergePatch } from "./patch/json-patch.ts"
import { strategicPatch } from "./patch/strategic.ts"
import { badRequest, invalid, statusError } from "./status.ts"
import { Faults } from "./validate/faults.ts"
import { checkResize } from "./validate/pod.ts"
import { validate } from "./validate/validate.ts"

/** What the server alone says of an object. */
const SERVERS_OWN = [
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "selfLink",
]

/** Runs `body`; a dry run leaves nothing of it. */
export function writing<T>({ deps, isDryRun }: ResourceRequest, body: () => T): T {
  if (!isDryRun) return deps.transaction(body)
  const done: { result?: T } = {}
  const stop = new Error("dry run")
  try {
    deps.transaction(() => {
      done.result = body()
      throw stop
    })
  } catch (error) {
    if (error !== stop) throw error
  }
  return done.result as T
}

/** The object of the request's body, its metadata as the path has it. */
function placed(context: ResourceRequest, body: unknown): Tree {
  const { target, kind } = context
  const object = decodeObject(context, body)
  const metadata = { ...treeAt(object, "metadata") }
  if (target.name !== undefined) {
    const name = textAt(metadata, "name")
    if (name === "") metadata["name"] = target.name
    else if (name !== target.name)
      throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`)
  }
  const namespace = textAt(metadata, "namespace")
  if (kind.namespaced) {
    if (namespace !== "" && target.namespace !== undefined && namespace !== target.namespace)
      throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
    metadata["namespace"] = target.namespace ?? (namespace || "default")
  } else delete metadata["namespace"]
  return { ...object, metadata }
}

/** Asks for one; kept with what it lacks filled in. */
export function create(context: ResourceRequest): ApiResponse {
  if (context.target.name !== undefined) throw methodNotAllowed()
  const object = placed(context, context.request.body)
  if (textAt(object, "metadata", "resourceVersion") !== "")
    throw badRequest("resourceVersion should not be set on objects to be created")
  return { status: 201, body: created(context, object), warnings: context.warnings }
}

function created(context: ResourceRequest, asked: Tree, applied = false): StoredObject {
  const { kind, resource, definition, deps } = context
  const metadata = { ...treeAt(asked, "metadata") }
  for (const key of [...SERVERS_OWN, "resourceVersion"]) delete metadata[key]
  const object: Tree = { ...asked, metadata }
  if (kind.hasStatus) delete object["status"]
  fillDefaults(kind, object)
  validate(kind, definition, object)
  const managed = applied
    ? object
    : updateManaged(object, undefined, definition, { manager: managerOf(context), apiVersion: versionOf(context) })
  return writing(context, () => {
    const made = deps.objects.create(resource, admitted(context, managed) as KubeObject)
    context.warnings.push(...podSecurityWarnings(deps.objects, resource, made))
    return made
  })
}

/** In place of what is there. */
export function replace(context: ResourceRequest): ApiResponse {
  const { target } = context
  if (target.name === undefined) throw methodNotAllowed()
  const object = placed(context, context.request.body)
  const body = writing(context, () => {
    const current = read(context)
    return updated(context, current, object)
  })
  return { status: 200, body, warnings: context.warnings }
}

/** The object that the request names. */
export function read({ deps, resource, target }: ResourceRequest): StoredObject {
  return deps.objects.get(resource, target.name ?? "", target.namespace)
}

/** What a person leaves out of these is what the cluster chose: it stays. */
function carriedOver(resource: string, object: Tree, current: Tree): Tree {
  if (resource !== "services") return object
  const spec = { ...treeAt(object, "spec") }
  const before = treeAt(current, "spec")
  if (spec["type"] === "ExternalName" || before["type"] === "ExternalName") return object
  for (const key of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"])
    if (isLeftOut(spec[key]) && before[key] !== undefined) spec[key] = before[key]
  if (hasNodePorts(spec) && hasNodePorts(before))
    spec["ports"] = withNodePorts(listAt(spec, "ports"), listAt(before, "ports"))
  return { ...object, spec }
}

const isLeftOut = (value: unknown): boolean =>
  value === undefined || value === "" || (Array.isArray(value) && value.length === 0)

const hasNodePorts = (spec: Tree): boolean => spec["type"] === "NodePort" || spec["type"] === "LoadBalancer"

/** By the names of ports, whatever else of them changes, as the API server does it; none goes to two. */
function withNodePorts(ports: readonly unknown[], known: readonly unknown[]): unknown[] {
  const used = new Set(ports.map((one) => numberAt(one, "nodePort")))
  const byName = new Map(known.map((one) => [textAt(one, "name"), numberAt(one, "nodePort")]))
  return ports.map((port) => {
    const nodePort = byName.get(textAt(port, "name"))
    if (!isTree(port) || port["nodePort"] || !nodePort || used.has(nodePort)) return port
    used.add(nodePort)
    return { ...port, nodePort }
  })
}

/** Of a pod, the containers that somebody looks into it with: by PATCH or PUT they are added, and nothing else changes. */
export function addEphemeral(context: ResourceRequest): ApiResponse {
  const { request } = context
  const body = writing(context, () => {
    const current = read(context)
    const asked = placed(context, request.method === "PATCH" ? patched(context, current, request.body) : request.body)
    const before = listAt(current, "spec", "ephemeralContainers")
    const next = structuredClone(
      withAt(current, ["spec", "ephemeralContainers"], listAt(asked, "spec", "ephemeralContainers")),
    )
    fillDefaults(context.kind, next)
    const names = new Map(listAt(next, "spec", "ephemeralContainers").map((one) => [textAt(one, "name"), one]))
    for (const one of before)
      if (!isDeepStrictEqual(names.get(textAt(one, "name")), one))
        throw invalid("Pod", "", current.metadata.name, [
          {
            reason: "FieldValueForbidden",
            message: `Forbidden: existing ephemeral containers "${textAt(one, "name")}" may not be changed`,
            field: "spec.ephemeralContainers",
          },
        ])
    const version = textAt(asked, "metadata", "resourceVersion")
    if (version !== "" && version !== current.metadata.resourceVersion) throw conflictOf(context)
    return updated(context, current, next, { before: next })
  })
  return { status: 200, body, warnings: context.warnings }
}

/** Of a pod, what its containers may use: by PATCH or PUT that changes, and nothing else (KEP-1287). */
export function resizePod(context: ResourceRequest): ApiResponse {
  const { request } = context
  const body = writing(context, () => {
    const current = read(context)
    const asked = placed(context, request.method === "PATCH" ? patched(context, current, request.body) : request.body)
    const version = textAt(asked, "metadata", "resourceVersion")
    if (version !== "" && version !== current.metadata.resourceVersion) throw conflictOf(context)
    const next = structuredClone(withResources(current, asked))
    fillDefaults(context.kind, next)
    const faults = new Faults()
    checkResize(next, current, faults)
    if (faults.causes.length > 0) throw invalid("Pod", "", current.metadata.name, faults.causes)
    // what a namespace may have is no less bounded by this way; defaults of its limits are for new pods alone
    const bounded = structuredClone(next) as unknown as StoredObject
    applyLimits(context.deps.objects, "pods", bounded)
    checkQuotas(context.deps.objects, "pods", bounded, current)
    return updated(context, current, next, { before: next })
  })
  return { status: 200, body, warnings: context.warnings }
}

/** Those of the same names have the resources that were asked for. */
function withResources(current: StoredObject, asked: Tree): Tree {
  let next: Tree = current
  for (const key of ["containers", "initContainers"]) {
    const wanted = new Map(listAt(asked, "spec", key).map((one) => [textAt(one, "name"), at(one, "resources")]))
    const all = listAt(current, "spec", key)
    if (all.length > 0)
      next = withAt(
        next,
        ["spec", key],
        all.map((one) => (isTree(one) ? withAt(one, ["resources"], wanted.get(textAt(one, "name")) ?? {}) : one)),
      )
  }
  return next
}

/** Keeps `asked` in place of `current`; in a transaction. `before`: what it may not differ from where it must not. `isPart`: webhooks have seen what was sent instead. */
function updated(
  context: ResourceRequest,
  current: StoredObject,
  asked: Tree,
  {
    isApplied = false,
    isPart = false,
    before = current,
  }: { isApplied?: boolean; isPart?: boolean; before?: Tree } = {},
): StoredObject {
  const { kind, resource, definition, deps } = context
  const object = structuredClone(carriedOver(resource, asked, current))
  const metadata = treeAt(object, "metadata")
  for (const key of ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"])
    delete metadata[key]
  if (current.metadata.deletionTimestamp !== undefined) checkFinalizers(context, metadata, current)
  if (kind.hasStatus) Object.assign(object, current["status"] === undefined ? {} : { status: current["status"] })
  fillDefaults(kind, object)
  validate(kind, definition, object, before)
  const managed = isApplied
    ? object
    : updateManaged(object, current, definition, {
        manager: managerOf(context),
        apiVersion: versionOf(context),
        ...(isPart && { subresource: "scale" }),
      })
  const next = isPart ? managed : admitted(context, managed, current)
  if (resource === "services") checkServiceAddresses(deps.objects, next, current)
  checkSecurity(context, next, current)
  return deps.objects.update(resource, next as KubeObject)
}

/** What Pod Security says of a change: of a pod's (a container that is looked into it with), of a template's, of a namespace's labels. */
function checkSecurity(
  { deps: { objects }, resource, warnings }: ResourceRequest,
  object: Tree,
  current: StoredObject,
): void {
  if (resource === "namespaces") {
    checkNamespaceLabels(object)
    warnings.push(...namespaceWarnings(objects, object, current))
    return
  }
  const isSame = isDeepStrictEqual(object["spec"], current["spec"])
  if (isSame && isDeepStrictEqual(appArmorOf(object), appArmorOf(current))) return
  if (resource === "pods") enforcePodSecurity(objects, object as unknown as StoredObject)
  warnings.push(...podSecurityWarnings(objects, resource, object))
}

/** The older word for the profiles of containers: it is read again when one is started anew. */
function appArmorOf(object: Tree | StoredObject): readonly [string, string][] {
  return Object.entries(textsAt(object, "metadata", "annotations"))
    .filter(([key]) => key.startsWith("container.apparmor.security.beta.kubernetes.io/"))
    .toSorted()
}

/** What is being deleted gets no new finalizers. */
function checkFinalizers({ resource, target }: ResourceRequest, metadata: Tree, current: StoredObject): void {
  const before = new Set(current.metadata.finalizers)
  const added = listAt(metadata, "finalizers").filter((one) => !before.has(String(one)))
  if (added.length > 0)
    throw statusError(
      "PermissionDenied",
      `${resource} "${target.name}" is forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
      {
        reason: "Forbidden",
      },
    )
}

/** Of the object or its status. */
export function updateStatus(context: ResourceRequest, current: StoredObject, object: Tree): StoredObject {
  const { resource, definition, deps } = context
  const next = { ...current, status: object["status"] }
  const writer = { manager: managerOf(context), apiVersion: versionOf(context), subresource: "status" }
  const managed = admitted(context, updateManaged(next, current, definition, writer), current)
  const resourceVersion = textAt(object, "metadata", "resourceVersion")
  return deps.objects.updateStatus(resource, {
    ...(managed as StoredObject),
    metadata: {
      ...(managed["metadata"] as StoredObject["metadata"]),
      resourceVersion: resourceVersion || current.metadata.resourceVersion,
    },
  })
}

/** How a patch is written, by its content type. */
export function patchKind(contentType: string | undefined): "json" | "merge" | "strategic" | "apply" {
  switch ((contentType ?? "").split(";")[0]?.trim()) {
    case "application/json-patch+json":
      return "json"
    case "application/merge-patch+json":
      return "merge"
    case "application/strategic-merge-patch+json":
      return "strategic"
    case "application/apply-patch+yaml":
    case "application/apply-patch+json":
      return "apply"
    default:
      throw statusError(
        "InvalidArgument",
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        {
          reason: "UnsupportedMediaType",
        },
      )
  }
}

/** What a patch makes of an object, before it is checked. */
export function patched(context: ResourceRequest, current: Tree, change: unknown): Tree {
  const type = patchKind(context.request.contentType)
  if (type === "json") return jsonPatch(current, change)
  if (type === "strategic") {
    if (context.kind.isCustom === true)
      throw statusError(
        "InvalidArgument",
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        {
          reason: "UnsupportedMediaType",
        },
      )
    return strategicPatch(current, change, context.definition)
  }
  const merged = mergePatch(current, change)
  if (!isTree(merged)) throw badRequest("a merge patch of an object is an object")
  return merged
}

/** All forms of PATCH, on the object or its status. */
export function patch(context: ResourceRequest): ApiResponse {
  const { target, request } = context
  if (target.name === undefined) throw methodNotAllowed()
  if (patchKind(request.contentType) === "apply") return apply(context)
  const body = writing(context, () => {
    const current = read(context)
    const object = placed(context, patched(context, current, request.body))
    if (target.subresource === "status") return updateStatus(context, current, object)
    return updated(context, current, object)
  })
  return { status: 200, body, warnings: context.warnings }
}

function apply(context: ResourceRequest): ApiResponse {
  const { target, request, query, deps, resource, definition } = context
  const manager = query.get("fieldManager") ?? ""
  if (manager === "")
    throw statusError(
      "InvalidArgument",
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      {
        reason: "Invalid",
        kind: "PatchOptions",
      },
    )
  const object = placed(context, request.body)
  if (listAt(object, "metadata", "managedFields").length > 0) throw badRequest("metadata.managedFields must be nil")
  const asked = withoutServersOwn(object)
  const writer = { manager, apiVersion: versionOf(context), subresource: target.subresource }
  const force = query.get("force") === "true"
  let status = 200
  const body = writing(context, () => {
    const current = deps.objects.find(resource, target.name ?? "", target.namespace)
    if (current === undefined) {
      if (target.subresource !== undefined) return read(context)
      // who may change what is there may not thereby make what is not
      const { group, plural, namespaced } = context.kind
      const namespace = namespaced ? target.namespace : undefined
      authorize(deps.objects, context.user, { verb: "create", group, resource: plural, namespace, name: target.name })
      status = 201
      return created(
        { ...context, definition, isDryRun: false },
        applyManaged(undefined, { applied: asked, definition, writer, force }),
        true,
      )
    }
    const version = textAt(object, "metadata", "resourceVersion")
    if (version !== "" && version !== current.metadata.resourceVersion) throw conflictOf(context)
    const merged = applyManaged(current, { applied: asked, definition, writer, force })
    if (target.subresource === "status")
      return deps.objects.updateStatus(resource, admitted(context, merged, current) as KubeObject)
    return updated(context, current, merged, { isApplied: true })
  })
  return { status, body, warnings: context.warnings }
}

function conflictOf({ resource, target }: ResourceRequest): Error {
  return statusError(
    "FailedPrecondition",
    `Operation cannot be fulfilled on ${resource} "${target.name}": the object has been modified; please apply your changes to the latest version and try again`,
    {
      reason: "Conflict",
      resource,
      name: target.name ?? "",
    },
  )
}

function withoutServersOwn(object: Tree): Tree {
  const metadata = { ...treeAt(object, "metadata") }
  for (const key of [...SERVERS_OWN, "resourceVersion", "managedFields"]) delete metadata[key]
  return { ...object, metadata }
}

/** Deletes one. */
export function remove(context: ResourceRequest): ApiResponse {
  const { deps, resource, target, kind } = context
  const name = target.name ?? ""
  const options = deleteOptions(context)
  const removed = writing(context, () => {
    const current = read(context)
    deletionAdmitted(context, [current])
    const grace = resource === "pods" ? graceOf(current, options.graceSeconds) : options.graceSeconds
    return {
      object: deps.objects.delete(resource, name, target.namespace, {
        ...options,
        ...(grace !== undefined && { graceSeconds: grace }),
      }),
      isGone: deps.objects.find(resource, name, target.namespace) === undefined,
    }
  })
  if (!removed.isGone || resource === "pods") return { status: 200, body: removed.object }
  return {
    status: 200,
    body: {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: {
        name,
        ...(kind.group !== "" && { group: kind.group }),
        kind: kind.plural,
        uid: removed.object.metadata.uid,
      },
    },
  }
}

/** A pod that nobody has begun to run ends at once; so does one that has ended. */
function graceOf(pod: StoredObject, asked: number | undefined): number | undefined {
  const phase = textAt(pod, "status", "phase")
  if (textAt(pod, "spec", "nodeName") === "" || phase === "Succeeded" || phase === "Failed") return 0
  return asked
}

interface RemoveOptions {
  propagation?: "Background" | "Foreground" | "Orphan"
  graceSeconds?: number
  uid?: string
  resourceVersion?: string
}

/** Of the body and the query (meta/v1 DeleteOptions). */
export function deleteOptions({ request, query }: ResourceRequest): RemoveOptions {
  const body = isTree(request.body) ? request.body : {}
  const policy = textAt(body, "propagationPolicy") || (query.get("propagationPolicy") ?? "")
  const orphans = body["orphanDependents"] === true || query.get("orphanDependents") === "true"
  const grace =
    numberAt(body, "gracePeriodSeconds") ??
    (query.has("gracePeriodSeconds") ? Number(query.get("gracePeriodSeconds")) : undefined)
  if (policy !== "" && !["Background", "Foreground", "Orphan"].includes(policy))
    throw statusError(
      "InvalidArgument",
      `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "${policy}": supported values: "Background", "Foreground", "Orphan", "nil"`,
      { reason: "Invalid" },
    )
  const uid = textAt(body, "preconditions", "uid")
  const resourceVersion = textAt(body, "preconditions", "resourceVersion")
  return {
    ...(policy !== "" && { propagation: policy as "Background" }),
    ...(policy === "" && orphans && { propagation: "Orphan" as const }),
    ...(grace !== undefined && Number.isSafeInteger(grace) && grace >= 0 && { graceSeconds: grace }),
    ...(uid !== "" && { uid }),
    ...(resourceVersion !== "" && { resourceVersion }),
  }
}

/** A verb that a resource has not. */
export function methodNotAllowed(): Error {
  return statusError("InvalidArgument", "the server does not allow this method on the requested resource", {
    reason: "MethodNotAllowed",
  })
}

/** GET and PUT of how many there are (autoscaling/v1 Scale). */
export function scaleOf(object: StoredObject): Tree {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = at(object, "spec", "selector")
  const labels = isTree(at(selector, "matchLabels")) ? treeAt(selector, "matchLabels") : treeAt(selector)
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberAt(object, "spec", "replicas") ?? 0 },
    status: {
      replicas: numberAt(object, "status", "replicas") ?? 0,
      selector: Object.entries(labels)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(","),
    },
  }
}

/** The scale subresource, by any method. */
export function scale(context: ResourceRequest): ApiResponse {
  const { request } = context
  if (request.method === "GET") return { status: 200, body: scaleOf(read(context)) }
  if (request.method !== "PUT" && request.method !== "PATCH") throw methodNotAllowed()
  const body = writing(context, () => {
    const current = read(context)
    const asked =
      request.method === "PATCH" && patchKind(request.contentType) === "json"
        ? jsonPatch(scaleOf(current), request.body)
        : request.method === "PATCH"
          ? mergePatch(scaleOf(current), request.body)
          : request.body
    const sent = partAdmitted(
      context,
      "UPDATE",
      { ...scaleOf(current), ...(isTree(asked) ? asked : {}) },
      scaleOf(current),
    )
    const replicas = numberAt(sent, "spec", "replicas") ?? 0
    if (!Number.isSafeInteger(replicas) || replicas < 0)
      throw statusError(
        "InvalidArgument",
        `Scale.autoscaling "${current.metadata.name}" is invalid: spec.replicas: Invalid value: ${replicas}: must be greater than or equal to 0`,
        { reason: "Invalid" },
      )
    const version = textAt(asked, "metadata", "resourceVersion")
    const next = withAt(current, ["spec", "replicas"], replicas)
    if (version !== "" && version !== current.metadata.resourceVersion) throw conflictOf(context)
    return scaleOf(updated(context, current, next, { isPart: true }))
  })
  return { status: 200, body }
}

/** Whether an error is that somebody was faster. */
export function isConflict(error: unknown): boolean {
  return isSkiffError(error) && error.data["reason"] === "Conflict"
}
