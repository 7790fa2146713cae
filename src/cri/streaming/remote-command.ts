/** A program of a container, its streams joined to those of a client. */
import { isSkiffError } from "../../base/errors.ts"
import type { Containers } from "../../container/container.ts"
import { killTree } from "../../sys/process/kill-tree.ts"
import type { Engine } from "../../engine/engine.ts"
import type { ByteStream } from "../../sys/net/websocket/byte-stream.ts"
import type { StreamRequest } from "./stream-request.ts"

/** The streams of a client; those that it did not ask for are not there. */
export interface CommandStreams {
  stdin?: ByteStream
  stdout?: ByteStream
  stderr?: ByteStream
  error: ByteStream
  resize?: ByteStream
  /** The end is told as JSON (v4 and later), else as a line of text where it is a failure. */
  isJson: boolean
  /** Aborted when the client has gone. */
  closed: AbortSignal
}

type CommandRequest = Extract<StreamRequest, { kind: "exec" | "attach" }>

/** Runs it to its end, or the client's, and tells how it ended. Never throws. */
export async function runCommand(engine: Engine, request: CommandRequest, streams: CommandStreams): Promise<void> {
  let end: Ended
  try {
    const containers = await engine.containers()
    end =
      request.kind === "exec" ? await exec(containers, request, streams) : await attach(containers, request, streams)
  } catch (error) {
    end = {
      message: error instanceof Error ? error.message : String(error),
      isInvalid: isSkiffError(error, "NotFound"),
    }
  }
  for (const stream of [streams.stdout, streams.stderr]) await stream?.end()
  const text = streams.isJson ? JSON.stringify(statusOf(end)) : plainWords(end)
  if (text !== "") await streams.error.write(Buffer.from(text))
  await streams.error.end()
}

type Ended = { exitCode: number } | { message: string; isInvalid: boolean }

type Attached = Pick<
  NonNullable<Awaited<ReturnType<Containers["attach"]>>["attachment"]>,
  "onOutput" | "closed" | "write" | "endInput"
> &
  Disposable

async function exec(
  containers: Containers,
  { containerId, command, streams: asked }: Extract<CommandRequest, { kind: "exec" }>,
  streams: CommandStreams,
): Promise<Ended> {
  const { execs } = containers
  const attached = takeInput(asked, streams)
  const session = await execs
    .run(containerId, { command, tty: asked.tty, stdin: asked.stdin })
    .catch((error: unknown) => {
      attached(undefined)
      throw error
    })
  const { attachment, exec: started } = session
  attached(attachment)
  const kill = (): void => {
    if (started.state.status === "running") killTree(started.state.pid)
  }
  // who has gone can neither read its output nor end it
  streams.closed.addEventListener("abort", kill, { once: true })
  if (streams.closed.aborted) kill()
  if (attachment !== undefined) join(attachment, streams)
  onSizes(streams, (size) => execs.resize(started.id, size))
  const exitCode = await session.exited
  streams.closed.removeEventListener("abort", kill)
  await outOf(attachment)
  return { exitCode }
}

async function attach(
  containers: Containers,
  { containerId, streams: asked }: Extract<CommandRequest, { kind: "attach" }>,
  streams: CommandStreams,
): Promise<Ended> {
  const attached = takeInput(asked, streams)
  const started = await containers.attach(containerId, { stdin: asked.stdin }).catch((error: unknown) => {
    attached(undefined)
    throw error
  })
  const { attachment } = started
  attached(attachment)
  try {
    if (attachment !== undefined) join(attachment, streams)
    onSizes(streams, (size) => containers.resize(containerId, size))
    const gone = new Promise<void>((resolve) => {
      if (streams.closed.aborted) resolve()
      streams.closed.addEventListener("abort", () => resolve(), { once: true })
    })
    await Promise.race([attachment?.closed, gone])
    return { exitCode: 0 }
  } finally {
    attachment?.[Symbol.dispose]()
    started.release()
  }
}

/** How long output may still come after the end: a child that was left behind may hold the streams for ever. */
const OUTPUT_MS = 1000

async function outOf(attachment: Attached | undefined): Promise<void> {
  if (attachment === undefined) return
  let timer: NodeJS.Timeout | undefined
  await Promise.race([attachment.closed, new Promise<void>((resolve) => (timer = setTimeout(resolve, OUTPUT_MS)))])
  clearTimeout(timer)
  attachment[Symbol.dispose]()
}

function join(attachment: Attached, { stdout, stderr }: CommandStreams): void {
  attachment.onOutput((stream, chunk) => {
    const target = stream === "stdout" ? stdout : stderr
    return target?.write(chunk.slice())
  })
}

/**
 * Takes what the client sends from the first moment, and holds it until there is something to give it to: who has little to say has ended before a program has started. Gives what is to be
 * called then.
 */
function takeInput(
  asked: CommandRequest["streams"],
  { stdin }: CommandStreams,
): (attached: Attached | undefined) => void {
  const { promise, resolve } = Promise.withResolvers<Attached | undefined>()
  if (asked.stdin && stdin !== undefined) {
    stdin.onData(async (chunk) => (await promise)?.write(chunk))
    void stdin.ended.then(async () => (await promise)?.endInput())
  }
  return resolve
}

/** What a client says of its terminal is short. */
const MAX_SIZE_TEXT = 1024
const MAX_CELLS = 65_535

/** `{"Width":80,"Height":24}`, one after the other. */
function onSizes(
  { resize }: CommandStreams,
  tell: (size: { rows: number; columns: number }) => Promise<void> | void,
): void {
  let text = ""
  resize?.onData(async (chunk) => {
    text = (text + Buffer.from(chunk).toString("latin1")).slice(-MAX_SIZE_TEXT)
    for (let end = text.indexOf("}"); end >= 0; end = text.indexOf("}")) {
      const size = sizeOf(text.slice(0, end + 1))
      text = text.slice(end + 1)
      if (size !== undefined) await tell(size)
    }
  })
}

function sizeOf(text: string): { rows: number; columns: number } | undefined {
  try {
    const { Width: columns, Height: rows } = JSON.parse(text) as { Width?: unknown; Height?: unknown }
    return isCells(columns) && isCells(rows) ? { rows, columns } : undefined
  } catch {
    return undefined
  }
}

function isCells(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value <= MAX_CELLS
}

/** Kubernetes' Status, by which clients know the exit code. */
function statusOf(end: Ended): object {
  const failure = { metadata: {}, status: "Failure" }
  if ("message" in end)
    return {
      ...failure,
      message: end.message,
      reason: end.isInvalid ? "NotFound" : "InternalError",
      code: end.isInvalid ? 404 : 500,
    }
  if (end.exitCode === 0) return { metadata: {}, status: "Success" }
  return {
    ...failure,
    message: `command terminated with non-zero exit code: exit status ${end.exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: `${end.exitCode}` }] },
  }
}

function plainWords(end: Ended): string {
  if ("message" in end) return end.message
  return end.exitCode === 0 ? "" : `command terminated with non-zero exit code: exit status ${end.exitCode}`
}
