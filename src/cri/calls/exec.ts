/** Programs in containers, at once or by a stream. */
import { SkiffError, FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import { killTree } from "../../sys/process/kill-tree.ts"
import { containerOf, podOf, type CriContext } from "../context.ts"
import type { RuntimeServiceCalls } from "../protocol/messages.ts"
import type { Handlers } from "../protocol/service.ts"
import type { StreamSet } from "../streaming/stream-request.ts"
import { stateOf } from "./container-status.ts"
import { stateOf as podState } from "./sandboxes.ts"

type Calls = Handlers<Pick<RuntimeServiceCalls, "ExecSync" | "Exec" | "Attach" | "PortForward">>

/** Of both streams together, so that an answer fits into a message; what comes after is dropped (CVE-2022-1708, CVE-2022-31030). */
const MAX_OUTPUT_BYTES = 16_000_000

export function execCalls(context: CriContext): Calls {
  const { engine } = context
  return {
    async ExecSync({ container_id: id, cmd, timeout }, { signal }) {
      const { container } = await containerOf(context, id)
      checkCommand(cmd)
      const session = await (await engine.containers()).execs.run(container.id, { command: cmd })
      const output = new Output()
      session.attachment?.onOutput((stream, chunk) => output.add(stream, chunk))
      using limit = new TimeLimit(Number(timeout), signal, () => {
        const { state } = session.exec
        if (state.status === "running") killTree(state.pid)
      })
      const exit_code = await session.exited
      // a child that it left behind may hold its streams open for ever
      await Promise.race([session.attachment?.closed, limit.over])
      session.attachment?.[Symbol.dispose]()
      if (limit.hasPassed)
        throw new TimedOut(`the command in container "${container.name}" was killed after ${timeout} s`)
      return { stdout: output.of("stdout"), stderr: output.of("stderr"), exit_code }
    },

    async Exec({ container_id: id, cmd, ...streams }) {
      checkCommand(cmd)
      checkStreams(streams)
      const containerId = await running(context, id)
      return { url: context.streamUrl({ kind: "exec", containerId, command: cmd, streams }) }
    },

    async Attach({ container_id: id, ...streams }) {
      checkStreams(streams)
      const containerId = await running(context, id)
      return { url: context.streamUrl({ kind: "attach", containerId, streams }) }
    },

    async PortForward({ pod_sandbox_id: id, port: ports }) {
      const { pod } = await podOf(context, id)
      if (podState(pod) !== "SANDBOX_READY") throw new FailedPrecondition(`sandbox "${pod.name}" is not ready`)
      for (const port of ports)
        if (port < 1 || port > 65_535) throw new InvalidArgument(`the port ${port} is out of range`, { field: "port" })
      return { url: context.streamUrl({ kind: "portforward", podId: pod.id, ports }) }
    },
  }
}

/** Kubelet tells a probe that took too long from one that failed by the code of this. */
class TimedOut extends SkiffError {
  constructor(message: string) {
    super("Cancelled", message, { data: { isTimeOut: true } })
  }
}

async function running(context: CriContext, id: string): Promise<string> {
  const { container } = await containerOf(context, id)
  if (stateOf(container) !== "CONTAINER_RUNNING")
    throw new FailedPrecondition(`container "${container.name}" does not run`)
  return container.id
}

function checkCommand(command: readonly string[]): void {
  if (command.length === 0 || command[0] === "") throw new InvalidArgument("the command is missing", { field: "cmd" })
}

function checkStreams({ stdin, stdout, stderr, tty }: StreamSet): void {
  if (!stdin && !stdout && !stderr)
    throw new InvalidArgument("one of stdin, stdout and stderr is needed", { field: "stdout" })
  if (tty && stderr)
    throw new InvalidArgument("a terminal has no standard error of its own: it is a part of its output", {
      field: "stderr",
    })
}

class Output {
  readonly #chunks: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] }
  #room = MAX_OUTPUT_BYTES

  add(stream: "stdout" | "stderr", chunk: Uint8Array): void {
    const kept = chunk.slice(0, this.#room)
    this.#room -= kept.length
    if (kept.length > 0) this.#chunks[stream].push(kept)
  }

  of(stream: "stdout" | "stderr"): Uint8Array {
    return Buffer.concat(this.#chunks[stream])
  }
}

/** Calls `pass` once the time is over, or when nobody waits any more. */
class TimeLimit implements Disposable {
  hasPassed = false
  /** Resolves once it has passed, or a second after it was asked for: what the program wrote has come by then. */
  readonly #passed = Promise.withResolvers<void>()
  readonly #timer: NodeJS.Timeout | undefined
  readonly #signal: AbortSignal
  readonly #pass: () => void

  constructor(seconds: number, signal: AbortSignal, pass: () => void) {
    if (!(seconds >= 0)) throw new InvalidArgument(`invalid time-out ${seconds}`, { field: "timeout" })
    this.#pass = () => {
      this.hasPassed = true
      pass()
      this.#passed.resolve()
    }
    this.#signal = signal
    this.#timer = seconds === 0 ? undefined : setTimeout(this.#pass, seconds * 1000)
    if (signal.aborted) this.#pass()
    signal.addEventListener("abort", this.#pass, { once: true })
  }

  get over(): Promise<void> {
    setTimeout(() => this.#passed.resolve(), 1000).unref()
    return this.#passed.promise
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#signal.removeEventListener("abort", this.#pass)
  }
}
