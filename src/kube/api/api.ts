/**
 * What Kubernetes' API server does to a request before anything is kept, and how it answers: finding the resource, authorising, reading
 * the object by its schema, defaults, validation, the fields' managers, the forms of patch, tables. It is called in the process of a command, and by the server for
 * others; both get the same answers.
 *
 * A request never throws for what a client did wrong: that is an answer whose body is a Status.
 */
import type { Tree } from "../field.ts"
import type { Status } from "./status.ts"

/** Who asks. */
export interface ApiUser {
  name: string
  groups: readonly string[]
  uid?: string
  /** What else is known of him: the pod that his token is of. */
  extra?: Readonly<Record<string, readonly string[]>>
}

/** Who owns the store: what every cluster's admin is. */
export const OWNER: ApiUser = { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] }

/** A request, its body already read: JSON values, never text. */
export interface ApiRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** `/api/v1/namespaces/default/pods/web`, as it came: escapes are taken out of each part. */
  path: string
  query?: URLSearchParams | undefined
  body?: unknown
  contentType?: string | undefined
  accept?: string | undefined
  /** Of a table: without the columns that `-o wide` alone shows. A caller in this process says so; there is no word for it by HTTP. */
  isNarrow?: boolean
  /** Of the client: its first word is who manages the fields that it writes, where it does not say. */
  userAgent?: string | undefined
  user: ApiUser
  signal?: AbortSignal | undefined
}

/** One of a watch. */
export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR"
  object: unknown
}

/** An answer: a document, or what comes over time. */
export interface ApiResponse {
  status: number
  body?: unknown
  /** In place of a body. */
  watch?: AsyncIterable<WatchEvent>
  /** In place of a body: text/plain. */
  text?: string | AsyncIterable<Uint8Array>
  /** Headers `Warning: 299`. */
  warnings?: readonly string[]
}

/** A pod that somebody may join: run a program in it, or reach its ports. */
export interface Connection {
  part: "exec" | "attach" | "portforward"
  pod: Tree
}

/** Kubernetes' API over the objects of one store. */
export interface KubeApi {
  request(request: ApiRequest): Promise<ApiResponse>
  /** Who asks for a stream: the pod, or the answer that refuses it. */
  connect(request: ApiRequest): Promise<Connection | ApiResponse>
}

export type { Status }
