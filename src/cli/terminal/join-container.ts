import type { Containers, StartedContainer } from "../../container/container.ts"
import { UsageError } from "../errors/usage-error.ts"
import { runSession, type SessionOptions } from "./session.ts"
import { SignalProxy } from "./signal-proxy.ts"

/** How `run`, `start -a` and `attach` join a container. */
export interface JoinOptions extends Pick<SessionOptions, "tty" | "stdin" | "shows" | "detachKeys"> {
  sigProxy: boolean
  /** Whether it is told why the program could not write, which the program does not say. Default: yes. */
  tellsWhy?: boolean
}

/**
 * Starts or attaches by `start`, joins our terminal or streams to the container until it ends or the user detaches, and
 * gives the exit code. One that `start` did not attach to is let go at once: then nothing is waited for. `start` calls
 * `hearSignals` as soon as there is a container to pass them on to: until then they end this process, a pull too.
 */
export async function joinContainer(
  containers: Containers,
  start: (hearSignals: () => void) => Promise<StartedContainer>,
  { sigProxy, tellsWhy = true, ...options }: JoinOptions,
): Promise<number> {
  using signals = new SignalProxy()
  // none from a terminal in raw mode: there Ctrl-C is a key, that the program's own terminal makes a signal of
  const takesKeys = options.tty && options.stdin
  const started = await start(() => sigProxy && !takesKeys && signals.listen())
  const { attachment, exited, container } = started
  if (!attachment && !started.hasOurStreams) {
    started.release()
    return 0
  }
  signals.connect((signal) => containers.kill(container.id, signal))
  if (!attachment) return exited
  const session = runSession({
    ...options,
    attachment,
    exited,
    resize: (size) => containers.resize(container.id, size),
  })
  const end = await Promise.race([session, signals.forced])
  if (end === "forced") throw await forcedEnd(container.name)
  if (end.kind === "exited") {
    if (tellsWhy) await tellWhy(started)
    return end.code
  }
  started.release()
  return 0
}

/** A program that may not write says so, and not why. */
async function tellWhy({ ending }: StartedContainer): Promise<void> {
  if (ending?.by !== "mount") return
  const { endedText } = await import("../../docker/ended-text.ts")
  const { log } = await import("../../base/log.ts")
  log.warn(endedText(ending))
}

/** In docker's words. The program ignores the signal, as a first process may: it goes on without us. */
async function forcedEnd(container: string): Promise<UsageError> {
  const { describeHint } = await import("../errors/describe-hint.ts")
  const hint = [`the container keeps running; ${describeHint({ do: "stop", container }, { command: "", flags: {} })}`]
  return new UsageError("got 3 SIGTERM/SIGINTs, forcefully exiting", { hint }, 1)
}
