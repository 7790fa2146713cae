/** Images of a Docker daemon on this machine, by its API (docs.docker.com/reference/api/engine): `images/get` and `images/load`. */
import { createReadStream } from "node:fs"
import { request, type IncomingMessage } from "node:http"
import { text } from "node:stream/consumers"
import type { Bytes } from "../../base/bytes.ts"
import { InvalidArgument, NotFound, Unavailable } from "../../base/errors.ts"

/** Where it listens unless it is told otherwise. */
const USUAL = "unix:///var/run/docker.sock"
/** Of an answer that is words. */
const MAX_WORDS = 300

/** A daemon, by its address: `unix:///path`. */
export interface DaemonOptions {
  address: string | undefined
  signal: AbortSignal | undefined
}

/** The image as an archive in Docker's form. Throws NotFound, Unavailable, InvalidArgument. */
export async function imageOfDaemon(name: string, options: DaemonOptions): Promise<Bytes> {
  const response = await ask("GET", `/images/${name}/get`, options)
  if (response.statusCode === 200) return response
  const words = wordsOf(await text(response))
  if (response.statusCode === 404) throw new NotFound(`no image "${name}" in docker's store: ${words}`)
  throw new Unavailable(`docker answered ${response.statusCode} for the image "${name}": ${words}`)
}

/** Has it load the archive. Throws Unavailable with its words when it does not. */
export async function loadIntoDaemon(archive: string, options: DaemonOptions): Promise<void> {
  const response = await ask("POST", "/images/load?quiet=1", options, archive)
  const answer = await text(response)
  // what fails after the first byte is told in the body of a 200
  const failed = /"error"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(answer)?.[1]
  if (response.statusCode !== 200 || failed !== undefined)
    throw new Unavailable(`docker did not load the image: ${failed ?? wordsOf(answer)}`)
}

function ask(
  method: "GET" | "POST",
  path: string,
  { address = USUAL, signal }: DaemonOptions,
  body?: string,
): Promise<IncomingMessage> {
  const [, socketPath] = /^unix:\/\/(\/.+)$/.exec(address) ?? []
  if (socketPath === undefined)
    throw new InvalidArgument(`docker's address "${address}" is no socket of this machine`, {
      hint: "expected unix:///path",
    })
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = { host: "docker", "content-type": "application/x-tar" }
  const sent = request({ socketPath, path, method, headers, ...(signal !== undefined && { signal }) }, resolve)
  sent.once("error", (cause) => {
    const hint = "start docker, or say where it listens"
    reject(signal?.aborted ? signal.reason : new Unavailable(`docker does not answer at "${address}"`, { cause, hint }))
  })
  if (body === undefined) sent.end()
  else createReadStream(body).once("error", reject).pipe(sent)
  return promise
}

function wordsOf(answer: string): string {
  try {
    return String((JSON.parse(answer) as { message?: unknown }).message).slice(0, MAX_WORDS)
  } catch {
    return answer.slice(0, MAX_WORDS)
  }
}
