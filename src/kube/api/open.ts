import { textAt, isTree, withAt, type Tree } from "../field.ts"
import type { KubeObject } from "../kube-object.ts"
import type { ApiRequest, ApiResponse, Connection, KubeApi } from "./api.ts"
import { deletionAdmitted, partAdmitted } from "./admission/webhooks/admitted.ts"
import { gateOf, throughGate, type Gate } from "./admission/webhooks/gate.ts"
import { authorize, checkEscalation, rulesOf, type Access } from "./authorize.ts"
import { readRequest, type ApiDeps, type ResourceRequest } from "./context.ts"
import type { SignClient } from "./certificates.ts"
import { discover, LEVEL } from "./discovery.ts"
import type { PodUses } from "./metrics.ts"
import { review } from "./reviews.ts"
import type { Tokens } from "./tokens.ts"
import { parseRoute, type Target } from "./route.ts"
import { list, selected, shown, watch } from "./read.ts"
import { badRequest, noSuchResource, statusError, statusOf } from "./status.ts"
import {
  addEphemeral,
  resizePod,
  create,
  deleteOptions,
  methodNotAllowed,
  patch,
  read,
  remove,
  replace,
  scale,
  updateStatus,
  writing,
} from "./write.ts"

const RBAC = "rbac.authorization.k8s.io"

const CERTIFICATES = "certificatesigningrequests.certificates.k8s.io"
const NOT_ENFORCED =
  "validating admission policies are kept and not enforced here: expressions in CEL are not evaluated. A ValidatingWebhookConfiguration is."

/** What an engine answers: the output of a pod's container. */
export type PodLog = (context: ResourceRequest) => Promise<ApiResponse>

/** What the API is handed beside its objects; what is undefined is not served. */
export interface OpenDeps extends ApiDeps {
  podLog?: PodLog
  tokens?: Tokens
  uses?: () => Promise<PodUses>
  /** For CertificateSigningRequests. */
  signClient?: SignClient
}

/** The API over the objects of one store. */
export function openKubeApi(deps: OpenDeps): KubeApi {
  return {
    async request(request) {
      try {
        return await answer(request, deps)
      } catch (error) {
        const status = statusOf(error)
        return { status: status.code, body: status }
      }
    },
    async connect(request) {
      try {
        return await throughWebhooks(request, deps, (gate) => connect(request, deps, gate))
      } catch (error) {
        const status = statusOf(error)
        return { status: status.code, body: status }
      }
    },
  }
}

const STREAMS = ["exec", "attach", "portforward"] as const

function connect(request: ApiRequest, deps: ApiDeps, gate: Gate | undefined): Connection {
  const { objects } = deps
  const route = parseRoute(request.path, () => objects.kinds())
  if (route.type !== "resource" || route.target.kind.plural !== "pods") throw noSuchResource()
  const { name = "", namespace, subresource } = route.target
  const part = STREAMS.find((one) => one === subresource)
  if (part === undefined) throw noSuchResource()
  authorize(objects, request.user, { verb: "create", group: "", resource: `pods/${part}`, namespace, name })
  const pod = objects.get("pods", name, namespace)
  if (gate !== undefined) {
    const context = { ...readRequest(request, route.target, deps), gate }
    partAdmitted(context, "CONNECT", connectOptions(part, request.query ?? new URLSearchParams()))
  }
  return { part, pod }
}

const CONNECT_KINDS = { exec: "PodExecOptions", attach: "PodAttachOptions", portforward: "PodPortForwardOptions" }

/** What is asked of a pod, as webhooks see it (core/v1 PodExecOptions …). */
function connectOptions(part: (typeof STREAMS)[number], query: URLSearchParams): Tree {
  const options: Tree = { kind: CONNECT_KINDS[part], apiVersion: "v1" }
  if (part === "portforward") return { ...options, ports: query.getAll("ports").map(Number) }
  for (const key of ["stdin", "stdout", "stderr", "tty"])
    if (["true", "1"].includes(query.get(key) ?? "")) options[key] = true
  if (query.has("container")) options["container"] = query.get("container")
  return part === "exec" ? { ...options, command: query.getAll("command") } : options
}

/** Does `body` with what webhooks of admission say; undefined: there are none. */
async function throughWebhooks<T>(
  { method }: ApiRequest,
  { objects, hookNetwork }: ApiDeps,
  body: (gate: Gate | undefined) => T | Promise<T>,
): Promise<T> {
  const gate = method === "GET" ? undefined : gateOf(objects, hookNetwork)
  return gate === undefined ? body(undefined) : throughGate(() => body(gate))
}

async function answer(request: ApiRequest, deps: OpenDeps): Promise<ApiResponse> {
  const { objects } = deps
  const isReview = request.path.includes("reviews")
  if (isReview) {
    authorize(objects, request.user, reviewAccess(request))
    const answered = review(request, deps)
    if (answered) return answered
  }
  if (request.path.startsWith("/apis/metrics.k8s.io/v1beta1/") && deps.uses)
    return (await import("./metrics.ts")).metrics(request, objects, deps.uses)
  const route = parseRoute(request.path, () => objects.kinds())
  if (route.type !== "resource")
    authorize(objects, request.user, { verb: "get", group: "", resource: "", path: request.path })
  switch (route.type) {
    case "version": {
      const { VERSION } = await import("../../base/version.ts")
      return {
        status: 200,
        body: {
          ...LEVEL,
          gitVersion: `${LEVEL.gitVersion}+skiff.${VERSION}`,
          gitTreeState: "clean",
          goVersion: "",
          compiler: "bun",
          platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`,
        },
      }
    }
    case "health":
      return { status: 200, text: "ok" }
    case "openapi": {
      const { openApi } = await import("./openapi.ts")
      return { status: 200, body: openApi(route.path, objects, request) }
    }
    case "groups":
      return {
        status: 200,
        body: discover(route.path, objects.kinds(), (request.accept ?? "").includes("as=APIGroupDiscoveryList")),
      }
    default:
      return onResource(request, route.target, deps)
  }
}

function reviewAccess(request: ApiRequest): Access {
  const [, , group = "", , ...rest] = request.path.split("/")
  const isPlaced = rest[0] === "namespaces"
  return {
    verb: "create",
    group,
    resource: (isPlaced ? rest[2] : rest[0]) ?? "",
    ...(isPlaced && { namespace: rest[1] }),
  }
}

function verbOf(request: ApiRequest, target: Target): string {
  switch (request.method) {
    case "GET":
      // of one object, or of a part of it, `watch` says nothing: it is read (apiserver, RequestInfoFactory)
      if (target.name !== undefined) return "get"
      return isWatch(request) ? "watch" : "list"
    case "POST":
      return "create"
    case "PUT":
      return "update"
    case "PATCH":
      return "patch"
    default:
      return target.name === undefined ? "deletecollection" : "delete"
  }
}

function isWatch({ query }: ApiRequest): boolean {
  const asked = query?.get("watch")
  return asked === "1" || asked === "true" || asked === ""
}

async function onResource(request: ApiRequest, target: Target, deps: OpenDeps): Promise<ApiResponse> {
  const { kind, name, subresource, namespace } = target
  // exec by GET changes what runs as much as by POST
  const isConnect = ["exec", "attach", "portforward"].includes(subresource ?? "")
  authorize(deps.objects, request.user, {
    verb: isConnect ? "create" : verbOf(request, target),
    group: kind.group,
    resource: subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`,
    namespace: kind.namespaced ? namespace : undefined,
    name,
  })
  return throughWebhooks(request, deps, async (gate) => {
    const given = await answerTo({ ...readRequest(request, target, deps), gate }, deps)
    return gate === undefined || gate.warnings.length === 0
      ? given
      : { ...given, warnings: [...(given.warnings ?? []), ...gate.warnings] }
  })
}

async function answerTo(context: ResourceRequest, deps: OpenDeps): Promise<ApiResponse> {
  const { request, kind, target } = context
  const { subresource } = target
  if (subresource !== undefined && subresource !== "status") return onPart(context, subresource, deps)
  if (subresource === "status" && !kind.hasStatus) throw noSuchResource()
  if (context.resource === CERTIFICATES)
    return (await import("./certificates.ts")).onSigningRequest(context, deps.signClient, onObject)
  if (kind.plural.startsWith("validatingadmissionpolic") && request.method !== "GET" && request.method !== "DELETE")
    context.warnings.push(NOT_ENFORCED)
  if (kind.group === RBAC && ["POST", "PUT", "PATCH"].includes(request.method)) return onRole(context)
  return onObject(context)
}

function onObject(context: ResourceRequest): ApiResponse {
  const { request, target } = context
  // a part of an object is read and changed; it neither comes nor goes by itself
  if (target.subresource !== undefined && (request.method === "POST" || request.method === "DELETE"))
    throw methodNotAllowed()
  switch (request.method) {
    case "GET":
      if (target.name !== undefined) return { status: 200, body: shown(context, read(context)) }
      return isWatch(request) ? watch(context) : list(context)
    case "POST":
      return create(context)
    case "PUT":
      return target.subresource === "status" ? putStatus(context) : replace(context)
    case "PATCH":
      return patch(context)
    default:
      return target.name === undefined ? removeAll(context) : remove(context)
  }
}

/** What is written is looked at before it counts: by the rules that held before it. */
function onRole(context: ResourceRequest): ApiResponse {
  const { deps, request, resource, target } = context
  return writing(context, () => {
    const own = rulesOf(deps.objects, request.user, target.namespace)
    const answered = onObject(context)
    if (isTree(answered.body)) checkEscalation(deps.objects, request.user, own, resource, answered.body)
    return answered
  })
}

function putStatus(context: ResourceRequest): ApiResponse {
  const body = writing(context, () =>
    updateStatus(context, read(context), isTree(context.request.body) ? context.request.body : {}),
  )
  return { status: 200, body }
}

function removeAll(context: ResourceRequest): ApiResponse {
  const { deps, resource, target, kind } = context
  const options = deleteOptions(context)
  const removed = writing(context, () => {
    const { items } = deps.objects.list(resource, { namespace: target.namespace, fits: selected(context) })
    deletionAdmitted(context, items)
    return items.map(({ metadata }) => deps.objects.delete(resource, metadata.name, metadata.namespace, options))
  })
  return { status: 200, body: { kind: `${kind.kind}List`, apiVersion: target.version, metadata: {}, items: removed } }
}

async function onPart(context: ResourceRequest, part: string, deps: OpenDeps): Promise<ApiResponse> {
  const { kind, resource } = context
  if (part === "scale" && kind.hasScale === true) return scale(context)
  if (resource === CERTIFICATES && part === "approval")
    return (await import("./certificates.ts")).approval(context, deps.signClient)
  if (resource === "namespaces" && part === "finalize") return replace(context)
  if (resource === "pods" && part === "ephemeralcontainers") return changedPart(context, addEphemeral)
  if (resource === "pods" && part === "resize") return changedPart(context, resizePod)
  if (resource === "pods" && part === "binding") return bind(context)
  if (resource === "pods" && part === "eviction") return (await import("./eviction.ts")).evict(context)
  if (resource === "pods" && part === "log" && deps.podLog) return deps.podLog(context)
  if (resource === "serviceaccounts" && part === "token" && deps.tokens)
    return (await import("./token-request.ts")).tokenFor(context, deps.tokens)
  if (STREAMS.some((one) => one === part)) throw badRequest("Upgrade request required")
  throw noSuchResource()
}

function changedPart(context: ResourceRequest, change: (context: ResourceRequest) => ApiResponse): ApiResponse {
  const { method } = context.request
  if (method === "GET") return { status: 200, body: read(context) }
  if (method === "PATCH" || method === "PUT") return change(context)
  throw methodNotAllowed()
}

/** A scheduler's word where the pod goes. */
function bind(context: ResourceRequest): ApiResponse {
  const { deps, request, target } = context
  if (request.method !== "POST") throw methodNotAllowed()
  const node = textAt(request.body, "target", "name")
  writing(context, () => {
    const pod = read(context)
    partAdmitted(context, "CREATE", {
      ...(isTree(request.body) ? request.body : {}),
      apiVersion: "v1",
      kind: "Binding",
    })
    const { name } = pod.metadata
    if (textAt(pod, "spec", "nodeName") !== "")
      throw statusError(
        "FailedPrecondition",
        `Operation cannot be fulfilled on pods/binding "${name}": pod ${name} is already assigned to node "${textAt(pod, "spec", "nodeName")}"`,
        { reason: "Conflict", name },
      )
    return deps.objects.update("pods", withAt(pod, ["spec", "nodeName"], node) as unknown as KubeObject)
  })
  return {
    status: 201,
    body: {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      code: 201,
      details: { name: target.name },
    },
  }
}
