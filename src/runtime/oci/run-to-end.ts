/** A container in the foreground: the runtime itself is its monitor, and ends with it. For steps of a build. */
import { join } from "node:path"
import { Cancelled } from "../../base/errors.ts"
import { catchesSignal, parentOf, processStartTime, signalProcess, spawnProcess } from "../../sys/process/process.ts"
import type { Pid, SpawnOptions } from "../../sys/process/process.ts"
import { wakeCgroupLock } from "../../sys/process/cgroup-lock.ts"
import { readText } from "../../sys/host.ts"
import { parseSignal } from "../../sys/process/signals.ts"
import { runtimeFailure } from "./failure.ts"
import { monitorEnvironment } from "../monitor/monitor.ts"
import type { RunToEndOptions } from "../runtime.ts"

const SIGKILL = 9
/** signal(7): SIGCHLD, SIGCONT, SIGURG and SIGWINCH end nobody. */
const HARMLESS = new Set([17, 18, 23, 28])
/** What a shell adds to the number of the signal. */
const SIGNALLED = 128
const KILL_POLL_MS = 5
/** What crun and runc end with when they fail themselves; a program may too, but leaves nothing in their log. */
const RUNTIME_CODES = new Set([1, 126, 127, 255])

/** See `Runtimes.runToEnd`. */
export async function runToEnd(options: RunToEndOptions): Promise<number> {
  const { id, directory, runtime, signal, onOutput } = options
  if (signal?.aborted) throw new Cancelled("the step was cancelled", { cause: signal.reason })
  const logPath = join(directory, "runtime.log")
  const pidFile = join(directory, "pidfile")
  const log = ["--log", logPath, "--log-format", "json"]
  wakeCgroupLock()
  const child = spawnProcess(
    [runtime.path, ...runtime.globalArgs, ...log, "run", "--bundle", directory, "--pid-file", pidFile, id],
    { cwd: "/", env: monitorEnvironment(process.env), ...streamsOf(options) },
  )
  using program = new Program(pidFile, child.pid)
  const kill = (): void => program.kill()
  signal?.addEventListener("abort", kill, { once: true })
  options.signals?.connect(async (name) => program.signal(parseSignal(name)))
  try {
    const [code] = await Promise.all([
      child.exited,
      pass(child.stdout, (bytes) => onOutput("stdout", bytes)),
      pass(child.stderr, (bytes) => onOutput("stderr", bytes)),
    ])
    if (signal?.aborted) throw new Cancelled("the step was cancelled", { cause: signal.reason })
    if (program.endedBy !== undefined) return SIGNALLED + program.endedBy
    const words = RUNTIME_CODES.has(code) ? failureWords(logPath) : undefined
    if (words !== undefined) throw runtimeFailure(runtime.name, words, { program: options.program })
    return code
  } finally {
    signal?.removeEventListener("abort", kill)
  }
}

/** Descriptor 3 stays with the runtime: it closes it in the program. */
function streamsOf({ stdin, terminal, alive }: RunToEndOptions): SpawnOptions {
  // in the foreground of our session, for the runtime turns our terminal to raw mode and joins the program's to it
  if (terminal) return { stdio: [0, 1, 2, alive ?? "ignore"], detached: false }
  // a terminal's Ctrl-C is ours to handle
  return { stdio: [stdin ?? "ignore", "named-pipe", "named-pipe", alive ?? "ignore"], detached: true }
}

async function pass(stream: AsyncIterable<Uint8Array> | undefined, sink: (bytes: Uint8Array) => void): Promise<void> {
  for await (const bytes of stream ?? []) sink(bytes)
}

function failureWords(logPath: string): string | undefined {
  return readText(logPath)
    ?.split("\n")
    .findLast((line) => /"level":\s*"(error|fatal)"/.test(line))
}

/** The first process of the container's pid namespace: all others end with it, and the runtime takes its traces back. */
class Program implements Disposable {
  readonly #pidFile: string
  readonly #runtimePid: Pid
  #timer: NodeJS.Timeout | undefined
  #isOver = false
  /** The signal that has ended it, though it did not catch it. */
  endedBy: number | undefined

  constructor(pidFile: string, runtimePid: Pid) {
    this.#pidFile = pidFile
    this.#runtimePid = runtimePid
  }

  /**
   * The first process of a pid namespace has no default actions (pid_namespaces(7)): one that does not catch the signal is
   * ended here, as it would be anywhere else.
   */
  signal(number: number): void {
    const pid = this.#find()
    // the runtime tells who it is only after it has begun
    if (pid === undefined) setTimeout(() => this.#isOver || this.signal(number), KILL_POLL_MS)
    else if (catchesSignal(pid, number)) this.#send(pid, number)
    else if (!HARMLESS.has(number)) {
      this.endedBy = number
      this.kill()
    }
  }

  /** It may only be about to start: so this goes on until it is disposed. */
  kill(): void {
    this.#timer ??= setInterval(() => this.#send(this.#find(), SIGKILL), KILL_POLL_MS)
  }

  #send(pid: Pid | undefined, signal: number): void {
    const startTime = pid === undefined ? undefined : processStartTime(pid)
    if (pid !== undefined && startTime !== undefined) signalProcess(pid, startTime, signal)
  }

  /** Only a child of the runtime: the number in the file may be another process's by now. */
  #find(): Pid | undefined {
    const pid = Number(readText(this.#pidFile)) as Pid
    return pid > 1 && parentOf(pid) === this.#runtimePid ? pid : undefined
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    clearInterval(this.#timer)
  }
}
