import { isTree, textAt, textsAt, listAt, at, type Tree } from "../field.ts"
import type { StoredObject } from "../objects/objects.ts"
import type { ApiResponse, WatchEvent } from "./api.ts"
import { versionOf, type ResourceRequest } from "./context.ts"
import { jsonPathValue } from "./json-path.ts"
import { parseFieldSelector, parseLabelSelector } from "./selectors.ts"
import { badRequest, statusError } from "./status.ts"
import { columnsOf, customColumns, type Column } from "./tables/columns.ts"
import { partialOf, tableOf, type RowObject } from "./tables/table.ts"

/** In what form a client wants objects. */
export type Form = "plain" | "table" | "partial"

/** `application/json;as=Table;v=v1;g=meta.k8s.io`: the first that is known. */
export function formOf(accept: string | undefined): Form {
  for (const one of (accept ?? "").split(",")) {
    const parameters = new Map(
      one
        .split(";")
        .slice(1)
        .map((part) => part.trim().split("=", 2) as [string, string]),
    )
    const as = parameters.get("as")
    if (as === "Table") return "table"
    if (as === "PartialObjectMetadata" || as === "PartialObjectMetadataList") return "partial"
    if (as === undefined && /^\s*(?:application\/json|\*\/\*)/.test(one)) return "plain"
  }
  return "plain"
}

function includeOf(query: URLSearchParams): RowObject {
  const include = query.get("includeObject") ?? ""
  if (include === "" || include === "Metadata") return "Metadata"
  if (include === "None" || include === "Object") return include
  throw badRequest(`unrecognized includeObject value: "${include}"`)
}

/** What is printed of the request's kind. */
export function printedColumns({ kind, resource, deps, target }: ResourceRequest): readonly Column[] {
  if (kind.isCustom !== true) return columnsOf(resource)
  const definition = deps.objects.find("customresourcedefinitions.apiextensions.k8s.io", resource)
  const version = listAt(definition, "spec", "versions").find((one) => textAt(one, "name") === target.version)
  return customColumns(listAt(version, "additionalPrinterColumns"), jsonPathValue)
}

/** The object in the version that was asked for. */
export function served(context: ResourceRequest, object: StoredObject): Tree {
  const apiVersion = versionOf(context)
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion }
}

/** One object, in the form that is accepted. */
export function shown(context: ResourceRequest, object: StoredObject): unknown {
  const form = formOf(context.request.accept)
  const whole = served(context, object)
  if (form === "partial") return partialOf(whole)
  if (form === "plain") return whole
  const metadata = { resourceVersion: object.metadata.resourceVersion }
  return tableOf([whole], shownColumns(context), includeOf(context.query), metadata)
}

/** A cell of a long list that nobody sees costs as much as one that is shown. */
function shownColumns(context: ResourceRequest): readonly Column[] {
  const columns = printedColumns(context)
  return context.request.isNarrow === true ? columns.filter(({ isWide }) => isWide !== true) : columns
}

/** Which objects a request selects; undefined: all. */
export function selected({ query, resource }: ResourceRequest): ((object: StoredObject) => boolean) | undefined {
  const labels = parseLabelSelector(query.get("labelSelector") ?? "")
  const fields = parseFieldSelector(query.get("fieldSelector") ?? "", resource)
  if (labels === undefined && fields === undefined) return undefined
  return (object) => (labels?.(textsAt(object, "metadata", "labels")) ?? true) && (fields?.(object) ?? true)
}

/** All objects of a place, or a page of them. */
export function list(context: ResourceRequest): ApiResponse {
  const { deps, resource, target, query, kind } = context
  const { items: all, resourceVersion } = deps.objects.list(resource, {
    namespace: target.namespace,
    fits: selected(context),
  })
  const { items, token, remaining } = page(all, query)
  const metadata = {
    resourceVersion,
    ...(token !== undefined && { continue: token, remainingItemCount: remaining }),
  }
  const objects = items.map((object) => served(context, object))
  const form = formOf(context.request.accept)
  if (form === "table")
    return { status: 200, body: tableOf(objects, shownColumns(context), includeOf(query), metadata) }
  if (form === "partial")
    return {
      status: 200,
      body: {
        kind: "PartialObjectMetadataList",
        apiVersion: "meta.k8s.io/v1",
        metadata,
        items: objects.map(partialOf),
      },
    }
  return { status: 200, body: { kind: `${kind.kind}List`, apiVersion: versionOf(context), metadata, items: objects } }
}

function page(
  all: StoredObject[],
  query: URLSearchParams,
): { items: StoredObject[]; token?: string; remaining?: number } {
  const limit = Number(query.get("limit") ?? 0)
  const after = query.get("continue") ?? ""
  const rest = after === "" ? all : all.filter((object) => placeOf(object) > readToken(after))
  if (!Number.isSafeInteger(limit) || limit <= 0 || rest.length <= limit) return { items: rest }
  const items = rest.slice(0, limit)
  const last = items.at(-1)
  if (last === undefined) return { items }
  const token = Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", start: placeOf(last) })).toString("base64url")
  return { items, token, remaining: rest.length - limit }
}

function placeOf({ metadata: { namespace = "", name } }: StoredObject): string {
  return `${namespace}/${name}`
}

function readToken(text: string): string {
  try {
    const start: unknown = at(JSON.parse(Buffer.from(text, "base64url").toString()), "start")
    if (typeof start === "string") return start
  } catch {
    // told of below
  }
  throw badRequest("continue key is not valid")
}

const BOOKMARK_MS = 30_000
const DEFAULT_TIMEOUT_SECONDS = 3600

/** The changes of a place from now on, or from a version on. */
export function watch(context: ResourceRequest): ApiResponse {
  const { deps, resource, target, query, request } = context
  const fits = selected(context)
  const named = target.name
  const wanted = (object: StoredObject): boolean =>
    (named === undefined || object.metadata.name === named) && (fits?.(object) ?? true)
  const asked = query.get("resourceVersion") ?? ""
  const sendsInitial = query.get("sendInitialEvents") === "true"
  const isFresh = asked === "" || asked === "0" || sendsInitial
  const seconds = Number(query.get("timeoutSeconds") ?? 0) || DEFAULT_TIMEOUT_SECONDS
  const initial = isFresh ? deps.objects.list(resource, { namespace: target.namespace, fits: wanted }) : undefined
  const since = initial?.resourceVersion ?? asked
  if (!/^\d+$/.test(since))
    throw statusError("InvalidArgument", `resourceVersion: Invalid value: "${since}": invalid syntax`, {
      reason: "Invalid",
    })
  const signals = [AbortSignal.timeout(seconds * 1000), ...(request.signal ? [request.signal] : [])]
  const changes = deps.objects.watch({
    resources: [resource],
    namespace: target.namespace,
    since,
    signal: AbortSignal.any(signals),
  })
  return {
    status: 200,
    watch: events(context, { initial: initial?.items ?? [], since, sendsInitial, wanted, changes }),
  }
}

interface Watched {
  initial: StoredObject[]
  since: string
  sendsInitial: boolean
  wanted(object: StoredObject): boolean
  changes: ReturnType<ResourceRequest["deps"]["objects"]["watch"]>
}

async function* events(context: ResourceRequest, watched: Watched): AsyncGenerator<WatchEvent> {
  const { query, kind, deps } = context
  const { wanted, changes, since } = watched
  const wantsBookmarks = query.get("allowWatchBookmarks") === "true" || query.get("allowWatchBookmarks") === "1"
  const inView = new Set<string>()
  const isSelective = query.has("labelSelector") || query.has("fieldSelector")
  let isFirst = true
  const show = (object: StoredObject): unknown => {
    const result = shown(context, object)
    if (!isFirst && formOf(context.request.accept) === "table" && isTree(result))
      return { ...result, columnDefinitions: null }
    isFirst = false
    return result
  }
  const bookmark = (resourceVersion: string, annotations?: object): WatchEvent => {
    const metadata = { resourceVersion, creationTimestamp: null, ...(annotations && { annotations }) }
    const object = { kind: kind.kind, apiVersion: versionOf(context), metadata }
    return {
      type: "BOOKMARK",
      object: formOf(context.request.accept) === "plain" ? object : shown(context, object as unknown as StoredObject),
    }
  }
  try {
    for (const object of watched.initial) {
      inView.add(object.metadata.uid)
      yield { type: "ADDED", object: show(object) }
    }
    if (watched.sendsInitial) yield bookmark(since, { "k8s.io/initial-events-end": "true" })
    if (isSelective && watched.initial.length === 0)
      for (const object of deps.objects.list(context.resource, { namespace: context.target.namespace, fits: wanted })
        .items)
        inView.add(object.metadata.uid)
    let pending = changes.next()
    for (;;) {
      const next = wantsBookmarks ? await Promise.race([pending, later(BOOKMARK_MS)]) : await pending
      if (next === undefined) {
        yield bookmark(deps.objects.resourceVersion())
        continue
      }
      if (next.done === true) return
      pending = changes.next()
      const { type, object } = next.value
      const { uid } = object.metadata
      const isWanted = type !== "DELETED" && wanted(object)
      const was = inView.has(uid)
      if (isWanted) inView.add(uid)
      else inView.delete(uid)
      if (isWanted)
        yield { type: type === "ADDED" || (isSelective && !was) ? "ADDED" : "MODIFIED", object: show(object) }
      else if (was || (type === "DELETED" && wanted(object))) yield { type: "DELETED", object: show(object) }
    }
  } finally {
    await changes[Symbol.asyncDispose]()
  }
}

async function later(ms: number): Promise<undefined> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref())
  return undefined
}
