import { InvalidArgument, NotFound } from "../../base/errors.ts"
import type { Channels } from "../../sys/net/websocket/channels.ts"
import { isTree, listAt, textAt, treeAt, type Tree } from "../field.ts"
import type { ApiRequest, ApiResponse, WatchEvent } from "../api/api.ts"
import { resourcePath } from "../api/route.ts"
import { errorOfStatus } from "../api/status.ts"
import type { Table } from "../api/tables/table.ts"
import { apiVersionOf, resourceKey, type ResourceKind } from "../objects/kinds.ts"

/** A request as a client makes it: who asks, the transport knows. */
export type ClientRequest = Omit<ApiRequest, "user">

/** How an API server is reached: in this process, or by HTTP. */
export interface Transport {
  request(request: ClientRequest): Promise<ApiResponse>
  /** A program or a port of a pod, by a WebSocket. Absent in this process, which has the containers themselves. Throws as the server answers. */
  stream?(request: StreamRequest): Promise<PodStream>
  /** What it serves. Asked once. */
  kinds(): Promise<readonly ResourceKind[]>
  /** The namespace where none is said. */
  readonly namespace: string
  /** Its address, for people. */
  readonly server: string
  /** In this process: no time is lost by asking. */
  readonly isLocal: boolean
}

/** What is to be joined. */
export interface StreamRequest {
  /** `/api/v1/namespaces/default/pods/web/exec`. */
  path: string
  query: URLSearchParams
  /** Those that are known here, the best first. */
  protocols: readonly string[]
  signal?: AbortSignal | undefined
}

/** A connection to a pod, as channels. */
export interface PodStream extends Disposable {
  /** The one that the server has chosen. */
  protocol: string
  channels: Channels
}

/** Says which objects. */
export interface Selection {
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
}

/** What of a table is needed. */
export interface TableOptions {
  /** How much of each object stands beside its row. */
  include?: "Object" | "Metadata" | "None"
  /** Without the columns of `-o wide`; another cluster's server sends them all the same. */
  isNarrow?: boolean
}

/** How a write is done. */
export interface WriteOptions {
  dryRun?: boolean
  fieldManager?: string | undefined
  fieldValidation?: string | undefined
  force?: boolean
}

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
const PAGE = "500"

/** Kubernetes' API for who uses it: answers are objects, and what goes wrong is thrown, with the server's words and `data.reason`. */
export class KubeClient {
  readonly transport: Transport
  /** Of answers, in order. */
  readonly warnings: string[] = []
  #kinds: Promise<readonly ResourceKind[]> | undefined

  constructor(transport: Transport) {
    this.transport = transport
  }

  kinds(): Promise<readonly ResourceKind[]> {
    return (this.#kinds ??= this.transport.kinds())
  }

  /** Reads what is served anew: a definition was applied. */
  forgetKinds(): void {
    this.#kinds = undefined
  }

  /** The kind that a word names: `pods`, `po`, `Pod`, `deployments.apps`, `deployments.v1.apps`. Throws NotFound. */
  async kindNamed(word: string): Promise<ResourceKind> {
    const [name = "", ...rest] = word.toLowerCase().split(".")
    const kinds = await this.kinds()
    const named = kinds.filter((kind) =>
      [kind.plural, kind.singular, kind.kind.toLowerCase(), ...kind.shortNames].includes(name),
    )
    const group = rest.join(".")
    const found =
      group === ""
        ? named[0]
        : (named.find((kind) => kind.group === group || (kind.group.startsWith(`${group}.`) && group !== "")) ??
          named.find((kind) => `${kind.version}.${kind.group}` === group || kind.version === group))
    if (found === undefined)
      throw new NotFound(`the server doesn't have a resource type "${word}"`, {
        data: { reason: "NotFound", isUnknownKind: true },
      })
    return found
  }

  /** The kind of an object by its own words. Throws NotFound. */
  async kindOf(object: Tree): Promise<ResourceKind> {
    const apiVersion = textAt(object, "apiVersion")
    const name = textAt(object, "kind")
    const fits = (kind: ResourceKind): boolean =>
      kind.kind === name &&
      [kind.version, ...(kind.otherVersions ?? [])].some(
        (version) => apiVersionOf({ group: kind.group, version }) === apiVersion,
      )
    const found = (await this.kinds()).find(fits)
    if (found === undefined)
      throw new NotFound(`no matches for kind "${name}" in version "${apiVersion}"`, {
        data: { reason: "NotFound", isUnknownKind: true },
        hint: "ensure CRDs are installed first",
      })
    const version = apiVersion.split("/").at(-1) ?? found.version
    return version === found.version ? found : { ...found, version }
  }

  /** The kinds of a category: `all`. */
  async kindsIn(category: string): Promise<ResourceKind[]> {
    return (await this.kinds()).filter((kind) => kind.categories?.includes(category))
  }

  async get(kind: ResourceKind, name: string, namespace?: string): Promise<Tree> {
    return this.call({ method: "GET", path: resourcePath(kind, namespace, name) })
  }

  /** Undefined where it is not there. */
  async find(kind: ResourceKind, name: string, namespace?: string): Promise<Tree | undefined> {
    const answer = await this.transport.request({ method: "GET", path: resourcePath(kind, namespace, name) })
    if (answer.status === 404) return undefined
    return this.#body(answer)
  }

  /** A part of an object: `scale`, `status`. */
  async part(kind: ResourceKind, name: string, namespace: string | undefined, part: string): Promise<Tree> {
    return this.call({ method: "GET", path: resourcePath(kind, namespace, name, part) })
  }

  /** All that are selected, page by page where it comes from elsewhere. */
  async list(kind: ResourceKind, selection: Selection = {}): Promise<Tree & { items: Tree[] }> {
    const items: Tree[] = []
    const query = selectionQuery(selection)
    // a server leaves out of items what the list says
    const typed = (item: Tree): Tree => ({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...item })
    if (!this.transport.isLocal) query.set("limit", PAGE)
    for (;;) {
      const page = await this.call({ method: "GET", path: resourcePath(kind, selection.namespace), query })
      items.push(...listAt(page, "items").filter(isTree).map(typed))
      const next = textAt(page, "metadata", "continue")
      if (next === "") return { ...page, items }
      query.set("continue", next)
    }
  }

  /** Rows as the server prints them; of one object where there is a name. */
  async table(
    kind: ResourceKind,
    selection: Selection,
    name?: string,
    { include = "Metadata", isNarrow = false }: TableOptions = {},
  ): Promise<Table> {
    const query = selectionQuery(selection)
    if (include !== "Metadata") query.set("includeObject", include)
    const path = resourcePath(kind, selection.namespace, name)
    return (await this.call({ method: "GET", path, query, accept: TABLE, isNarrow })) as unknown as Table
  }

  /** Changes from a version on; with none all that there is comes first. */
  async watch(
    kind: ResourceKind,
    selection: Selection & { resourceVersion?: string; asTable?: boolean; name?: string },
    signal?: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent>> {
    const query = selectionQuery(selection)
    query.set("watch", "true")
    if (selection.resourceVersion !== undefined) query.set("resourceVersion", selection.resourceVersion)
    if (selection.name !== undefined) query.set("fieldSelector", `metadata.name=${selection.name}`)
    const answer = await this.transport.request({
      method: "GET",
      path: resourcePath(kind, selection.namespace),
      query,
      signal,
      ...(selection.asTable === true && { accept: TABLE }),
    })
    if (answer.watch === undefined) {
      this.#body(answer)
      throw new InvalidArgument("the server sent no watch")
    }
    return answer.watch
  }

  async create(kind: ResourceKind, object: Tree, namespace?: string, options: WriteOptions = {}): Promise<Tree> {
    return this.call({ method: "POST", path: resourcePath(kind, namespace), body: object, query: writeQuery(options) })
  }

  async replace(kind: ResourceKind, object: Tree, namespace?: string, options: WriteOptions = {}): Promise<Tree> {
    const path = resourcePath(kind, namespace, textAt(object, "metadata", "name"))
    return this.call({ method: "PUT", path, body: object, query: writeQuery(options) })
  }

  async patch(
    kind: ResourceKind,
    name: string,
    namespace: string | undefined,
    patch: PatchBody,
    options: WriteOptions = {},
  ): Promise<Tree> {
    return this.call({
      method: "PATCH",
      path: resourcePath(kind, namespace, name, patch.part),
      body: patch.body,
      contentType: PATCH_TYPES[patch.type],
      query: writeQuery(options),
    })
  }

  async delete(kind: ResourceKind, name: string, namespace?: string, options: DeleteRequest = {}): Promise<Tree> {
    const { dryRun, gracePeriodSeconds, propagationPolicy, uid } = options
    const body = {
      kind: "DeleteOptions",
      apiVersion: "v1",
      ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      ...(propagationPolicy !== undefined && { propagationPolicy }),
      ...(uid !== undefined && { preconditions: { uid } }),
      ...(dryRun === true && { dryRun: ["All"] }),
    }
    return this.call({ method: "DELETE", path: resourcePath(kind, namespace, name), body })
  }

  /** Any request; the answer's body. Throws what the server says. */
  async call(request: ClientRequest): Promise<Tree> {
    return this.#body(await this.transport.request(request))
  }

  /** Text in pieces, as it comes: logs. Throws what the server says. */
  async *text(request: ClientRequest): AsyncGenerator<Uint8Array> {
    const answer = await this.transport.request(request)
    if (answer.text === undefined) {
      this.#body(answer)
      return
    }
    if (typeof answer.text === "string") yield Buffer.from(answer.text)
    else yield* answer.text
  }

  #body(answer: ApiResponse): Tree {
    for (const warning of answer.warnings ?? []) this.warnings.push(warning)
    if (answer.status >= 400) throw errorOfStatus(answer.body, answer.status)
    return treeAt({ body: answer.body }, "body")
  }
}

/** A patch, and how it is written. */
export interface PatchBody {
  type: keyof typeof PATCH_TYPES
  body: unknown
  /** `status`, `scale`. */
  part?: string
}

const PATCH_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
}

/** How something is deleted. */
export interface DeleteRequest {
  dryRun?: boolean
  gracePeriodSeconds?: number | undefined
  propagationPolicy?: string | undefined
  uid?: string | undefined
}

function selectionQuery({ labelSelector, fieldSelector }: Selection): URLSearchParams {
  const query = new URLSearchParams()
  if (labelSelector !== undefined && labelSelector !== "") query.set("labelSelector", labelSelector)
  if (fieldSelector !== undefined && fieldSelector !== "") query.set("fieldSelector", fieldSelector)
  return query
}

function writeQuery({ dryRun, fieldManager, fieldValidation, force }: WriteOptions): URLSearchParams {
  const query = new URLSearchParams()
  if (dryRun === true) query.set("dryRun", "All")
  if (fieldManager !== undefined) query.set("fieldManager", fieldManager)
  if (fieldValidation !== undefined) query.set("fieldValidation", fieldValidation)
  if (force === true) query.set("force", "true")
  return query
}

/** `deployment.apps/web`, as kubectl names one. */
export function titleOf(kind: ResourceKind, name: string): string {
  return `${kind.singular || kind.kind.toLowerCase()}${kind.group === "" ? "" : `.${kind.group}`}/${name}`
}

export { resourceKey }
