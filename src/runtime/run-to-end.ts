/** A container in the foreground: the runtime itself is its monitor, and ends with it. For steps of a build. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Cancelled } from "../base/errors.ts"
import { parentOf, processStartTime, signalProcess, spawnProcess, type Child, type Pid } from "../sys/process.ts"
import { readText } from "../sys/host.ts"
import { runtimeFailure } from "./failure.ts"
import { monitorEnvironment } from "./monitor.ts"
import type { RunToEndOptions } from "./runtime.ts"

const SIGKILL = 9
const KILL_POLL_MS = 5
/** What crun and runc end with when they fail themselves; a program may too, but leaves nothing in their log. */
const RUNTIME_CODES = new Set([1, 126, 127, 255])

/** See `Runtimes.runToEnd`. */
export async function runToEnd(options: RunToEndOptions): Promise<number> {
  const { id, directory, runtime, signal, onOutput } = options
  if (signal?.aborted) throw new Cancelled("the step was cancelled", { cause: signal.reason })
  const logPath = join(directory, "runtime.log")
  const log = ["--log", logPath, "--log-format", "json"]
  const child = spawnProcess(
    [runtime.path, ...runtime.globalArgs, ...log, "run", "--bundle", directory, "--pid-file", pidFile(options), id],
    // a terminal's Ctrl-C is ours to handle
    { cwd: "/", env: monitorEnvironment(process.env), stdio: ["ignore", "pipe", "pipe"], detached: true },
  )
  const stopKilling = killOnAbort(child, options)
  try {
    const [code] = await Promise.all([
      child.exited,
      pass(child.stdout, (bytes) => onOutput("stdout", bytes)),
      pass(child.stderr, (bytes) => onOutput("stderr", bytes)),
    ])
    if (signal?.aborted) throw new Cancelled("the step was cancelled", { cause: signal.reason })
    const words = RUNTIME_CODES.has(code) ? failureWords(logPath) : undefined
    if (words !== undefined) throw runtimeFailure(runtime.name, words, { program: options.program })
    return code
  } finally {
    stopKilling()
  }
}

async function pass(stream: AsyncIterable<Uint8Array> | undefined, sink: (bytes: Uint8Array) => void): Promise<void> {
  for await (const bytes of stream ?? []) sink(bytes)
}

function failureWords(logPath: string): string | undefined {
  return readText(logPath)
    ?.split("\n")
    .findLast((line) => /"level":\s*"(error|fatal)"/.test(line))
}

const pidFile = ({ directory }: RunToEndOptions): string => join(directory, "pidfile")

/**
 * Ends the first process of the container's pid namespace, and all others with it; then the runtime takes its traces back
 * by itself. It may only be about to start: so this goes on until it is told to stop.
 */
function killOnAbort(child: Child, options: RunToEndOptions): () => void {
  let timer: NodeJS.Timeout | undefined
  const start = (): void => {
    timer = setInterval(() => killProgram(pidFile(options), child.pid), KILL_POLL_MS)
  }
  options.signal?.addEventListener("abort", start, { once: true })
  return () => {
    options.signal?.removeEventListener("abort", start)
    clearInterval(timer)
  }
}

/** Only a child of the runtime: the number in the file may be another process's by now. */
function killProgram(path: string, runtimePid: Pid): void {
  let pid: Pid
  try {
    pid = Number(readFileSync(path, "latin1")) as Pid
  } catch {
    return // not there yet
  }
  const startTime = processStartTime(pid)
  if (startTime !== undefined && parentOf(pid) === runtimePid) signalProcess(pid, startTime, SIGKILL)
}
