/** A program of a pod of another cluster, joined as one of this machine is: the same streams, the same end. */
import { FailedPrecondition, Unavailable } from "../../base/errors.ts"
import type { Attachment } from "../../runtime/runtime.ts"
import type { ByteStream } from "../../sys/net/websocket/byte-stream.ts"
import { resourcePath } from "../api/route.ts"
import { errorOfStatus } from "../api/status.ts"
import { listAt, textAt, type Tree } from "../field.ts"
import type { ResourceKind } from "../objects/kinds.ts"
import type { KubeClient, PodStream } from "./kube-client.ts"

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const
const MAX_STATUS = 64 * 1024
const PODS: Pick<ResourceKind, "group" | "version" | "plural" | "namespaced"> = {
  group: "",
  version: "v1",
  plural: "pods",
  namespaced: true,
}

/** What is run, or joined where there is no command. */
export interface SessionRequest {
  container: string
  command?: readonly string[]
  stdin: boolean
  stdout?: boolean
  stderr?: boolean
  tty: boolean
  signal?: AbortSignal | undefined
}

/** One that was joined. */
export interface PodSession extends Disposable {
  attachment: Attachment
  /** Rejects with what the server says, or Unavailable where the connection was lost before the end. */
  exited: Promise<number>
  resize(size: { rows: number; columns: number }): void
}

/** Joins it by `v5.channel.k8s.io`; without input also by v4, which cannot say where the input ends. Throws what the server says. */
export async function openSession(client: KubeClient, pod: Tree, request: SessionRequest): Promise<PodSession> {
  const { container, command, stdin, stdout = true, stderr = true, tty, signal } = request
  const query = new URLSearchParams()
  for (const word of command ?? []) query.append("command", word)
  if (container !== "") query.set("container", container)
  for (const [name, isAsked] of Object.entries({ stdin, stdout, stderr: stderr && !tty, tty }))
    if (isAsked) query.set(name, "true")
  const protocols = stdin ? ["v5.channel.k8s.io"] : ["v5.channel.k8s.io", "v4.channel.k8s.io"]
  const stream = await open(client, pod, { part: command === undefined ? "attach" : "exec", query, protocols, signal })
  const { channels } = stream
  const ended = channels.run().catch(() => {})
  const end = endOf(channels.stream(CHANNEL.error), ended)
  const [input, resize] = [channels.stream(CHANNEL.stdin), channels.stream(CHANNEL.resize)]
  return {
    attachment: {
      onOutput(sink) {
        channels.stream(CHANNEL.stdout).onData((chunk) => sink("stdout", chunk))
        channels.stream(CHANNEL.stderr).onData((chunk) => sink("stderr", chunk))
      },
      closed: Promise.all([ended, channels.stream(CHANNEL.stdout).ended, channels.stream(CHANNEL.stderr).ended]).then(
        () => {},
      ),
      write: (chunk) => input.write(chunk),
      endInput: () => void input.end(),
      [Symbol.dispose]: () => stream[Symbol.dispose](),
    },
    exited: end,
    resize: ({ rows, columns }) => void resize.write(Buffer.from(JSON.stringify({ Width: columns, Height: rows }))),
    [Symbol.dispose]: () => stream[Symbol.dispose](),
  }
}

/** One connection to a port of a pod: its data, and what went wrong. */
export async function openPort(client: KubeClient, pod: Tree, port: number): Promise<PodPort> {
  const query = new URLSearchParams({ ports: `${port}` })
  const stream = await open(client, pod, { part: "portforward", query, protocols: ["v4.channel.k8s.io"] })
  const [data, error] = [stream.channels.stream(0), stream.channels.stream(1)]
  const ended = stream.channels.run().catch(() => {})
  let failure = ""
  error.onData(afterNumber((chunk) => void (failure = (failure + Buffer.from(chunk).toString()).slice(0, MAX_STATUS))))
  return {
    onData: (sink) => data.onData(afterNumber(sink)),
    write: (chunk) => data.write(chunk),
    ended: ended.then(async () => {
      await Promise.all([data.ended, error.ended])
      if (failure !== "") throw new FailedPrecondition(failure)
    }),
    close: () => stream.channels.close(),
    [Symbol.dispose]: () => stream[Symbol.dispose](),
  }
}

/** See `openPort`. */
export interface PodPort extends Disposable {
  onData(sink: (chunk: Uint8Array) => void | Promise<void>): void
  write(chunk: Uint8Array): Promise<void>
  /** Rejects with what the server says went wrong. */
  ended: Promise<void>
  /** The protocol has no word for half an end: the connection is closed. */
  close(): Promise<void>
}

interface Wanted {
  part: "exec" | "attach" | "portforward"
  query: URLSearchParams
  protocols: readonly string[]
  signal?: AbortSignal | undefined
}

async function open(client: KubeClient, pod: Tree, { part, ...wanted }: Wanted): Promise<PodStream> {
  const { stream } = client.transport
  if (stream === undefined) throw new FailedPrecondition("streams of this machine's own pods are not by the API")
  const [namespace, name] = [textAt(pod, "metadata", "namespace"), textAt(pod, "metadata", "name")]
  return stream({ path: resourcePath(PODS as ResourceKind, namespace, name, part), ...wanted })
}

/** Each channel of a forwarded port begins with its number, in two bytes that may come apart. */
function afterNumber(sink: (chunk: Uint8Array) => void | Promise<void>): (chunk: Uint8Array) => void | Promise<void> {
  let left = 2
  return (chunk) => {
    const skipped = Math.min(left, chunk.length)
    left -= skipped
    return chunk.length > skipped ? sink(chunk.subarray(skipped)) : undefined
  }
}

async function endOf(error: ByteStream, ended: Promise<void>): Promise<number> {
  let text = ""
  const { promise: told, resolve } = Promise.withResolvers<void>()
  error.onData((chunk) => {
    text = (text + Buffer.from(chunk).toString()).slice(0, MAX_STATUS)
    if (parsed(text) !== undefined) resolve()
  })
  await Promise.race([told, ended.then(() => error.ended)])
  const status = parsed(text)
  if (status === undefined)
    throw new Unavailable(text.trim() === "" ? "the connection to the server was lost" : text.trim())
  if (textAt(status, "status") === "Success") return 0
  const cause = listAt(status, "details", "causes").find((one) => textAt(one, "reason") === "ExitCode")
  if (textAt(status, "reason") === "NonZeroExitCode" && cause !== undefined)
    return Number(textAt(cause, "message")) || 1
  throw errorOfStatus(status, 500)
}

function parsed(text: string): Tree | undefined {
  try {
    return JSON.parse(text) as Tree
  } catch {
    return undefined
  }
}
