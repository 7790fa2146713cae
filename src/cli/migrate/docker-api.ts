/** Questions to a Docker daemon on this machine (docs.docker.com/reference/api/engine). None of them changes anything there. */
import { request, type IncomingMessage } from "node:http"
import type { Bytes } from "../../base/bytes.ts"
import { DataLoss, InvalidArgument, NotFound, Unavailable } from "../../base/errors.ts"

/** Where it listens unless it is told otherwise. */
const USUAL = "unix:///var/run/docker.sock"
const MAX_ANSWER_BYTES = 256 * 1024 ** 2

/** Asks a daemon. */
export interface DockerApi {
  address: string
  /** Throws NotFound, Unavailable with its words. */
  json(path: string): Promise<unknown>
  /** The answer as it comes. Throws as `json`. */
  bytes(path: string): Promise<Bytes>
}

/** Throws InvalidArgument for an address that is no socket of this machine. */
export function openDockerApi(address: string = USUAL, signal?: AbortSignal): DockerApi {
  const [, socketPath] = /^unix:\/\/(\/.+)$/.exec(address) ?? []
  if (socketPath === undefined)
    throw new InvalidArgument(`docker's address "${address}" is no socket of this machine`, {
      hint: "expected unix:///path",
    })
  const bytes = async (path: string): Promise<IncomingMessage> => {
    const response = await ask(socketPath, path, signal)
    if (response.statusCode === 200) return response
    const words = messageOf(await whole(response))
    if (response.statusCode === 404) throw new NotFound(`docker has not ${path}: ${words}`)
    throw new Unavailable(`docker answered ${response.statusCode} for ${path}: ${words}`)
  }
  return {
    address,
    bytes,
    async json(path) {
      const text = await whole(await bytes(path))
      try {
        return JSON.parse(text) as unknown
      } catch (cause) {
        throw new DataLoss(`docker's answer for ${path} is not JSON`, { cause })
      }
    },
  }
}

function ask(socketPath: string, path: string, signal?: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const sent = request({ socketPath, path, headers: { host: "docker" }, ...(signal && { signal }) }, resolve)
  sent.once("error", (cause) => {
    const hint = "dockerd must run, its store is read through it alone: systemctl start docker, or say where it listens"
    reject(
      signal?.aborted
        ? signal.reason
        : new Unavailable(`docker does not answer at "unix://${socketPath}"`, { cause, hint }),
    )
  })
  sent.end()
  return promise
}

async function whole(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new DataLoss(`docker's answer has more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function messageOf(answer: string): string {
  try {
    return String((JSON.parse(answer) as { message?: unknown }).message).slice(0, 300)
  } catch {
    return answer.slice(0, 300)
  }
}
