import type { Containers, LogTextOptions } from "../../../container/container.ts"
import type { ApiResponse } from "../api.ts"
import type { ResourceRequest } from "../context.ts"
import { badRequest } from "../status.ts"
import { methodNotAllowed, read } from "../write.ts"
import { engineContainer, meantContainer, waitingText } from "./pod-container.ts"

/** What a container of a pod has written (pods/log). Throws BadRequest where it has not begun. */
export function podLog(context: ResourceRequest, containers: Containers): ApiResponse {
  if (context.request.method !== "GET") throw methodNotAllowed()
  const { query } = context
  const pod = read(context)
  const name = meantContainer(pod, query.get("container") ?? "")
  const previous = query.get("previous") === "true"
  const container = engineContainer(containers, pod, name, previous)
  if (container === undefined)
    throw badRequest(
      previous
        ? `previous terminated container "${name}" in pod "${pod.metadata.name}" not found`
        : waitingText(pod, name),
    )
  const limit = numberOf(query, "limitBytes")
  return { status: 200, text: limited(bytesOf(containers, container.id, optionsOf(context)), limit) }
}

function optionsOf({ query, request }: ResourceRequest): LogTextOptions {
  const tail = numberOf(query, "tailLines")
  const seconds = numberOf(query, "sinceSeconds")
  const time = query.get("sinceTime") ?? ""
  const since = seconds !== undefined ? new Date(Date.now() - seconds * 1000) : time === "" ? undefined : new Date(time)
  if (since !== undefined && Number.isNaN(since.getTime())) throw badRequest(`sinceTime: "${time}" is no time`)
  return {
    follow: query.get("follow") === "true",
    timestamps: query.get("timestamps") === "true",
    ...(tail !== undefined && { tail }),
    ...(since !== undefined && { since }),
    ...(request.signal && { signal: request.signal }),
  }
}

function numberOf(query: URLSearchParams, key: string): number | undefined {
  const text = query.get(key) ?? ""
  if (text === "") return undefined
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${key}: Invalid value: "${text}": must be greater than or equal to 0`)
  return Number(text)
}

async function* bytesOf(containers: Containers, id: string, options: LogTextOptions): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of containers.logText(id, options)) yield bytes
}

async function* limited(chunks: AsyncIterable<Uint8Array>, limit: number | undefined): AsyncGenerator<Uint8Array> {
  let rest = limit ?? Infinity
  for await (const chunk of chunks) {
    yield chunk.length > rest ? chunk.subarray(0, rest) : chunk
    rest -= chunk.length
    if (rest <= 0) return
  }
}
