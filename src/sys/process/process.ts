/** Processes: started with exactly the descriptors they need, and proven before they are signalled. */
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs"
import { close, pipe, sendSignal } from "../libc.ts"

/** A process id on the host (or in the pause process's namespace, when rootless). */
export type Pid = number & { readonly brand: "Pid" }

/** Start time of a process in clock ticks after boot: with the pid it names one process, as pids are used again. */
export type StartTime = number & { readonly brand: "StartTime" }

/** How a program is started; every descriptor that is not named is closed in it. */
export interface SpawnOptions {
  cwd?: string
  /** The whole environment of the child; default: ours. */
  env?: Record<string, string | undefined>
  /**
   * Each entry becomes the child's descriptor of that index; default `["ignore", "ignore", "ignore"]`. `pipe` is a socket in
   * truth; `named-pipe`, for outputs, is a pipe, which a program may open again by its name (`> /dev/stdout`).
   */
  stdio?: readonly (number | "ignore" | "pipe" | "named-pipe")[]
  /** In a session of its own: a terminal's Ctrl-C does not reach it. */
  detached?: boolean
}

/** A program that was started. */
export interface Child {
  readonly pid: Pid
  /** Exit code, or 128 + n when a signal ended it. */
  readonly exited: Promise<number>
  readonly stdout?: AsyncIterable<Uint8Array>
  readonly stderr?: AsyncIterable<Uint8Array>
  /** Lets this process end before the child does. */
  unref(): void
  /** Nothing once it has ended. */
  kill(signal: number): void
}

const started = new Set<number>()

/** Whether the end of this child is awaited by who started it; of any other, nobody waits. */
export function isOwnChild(pid: number): boolean {
  return started.has(pid)
}

/** Starts a program. Descriptors not in `stdio` are closed in it (Bun marks all others close-on-exec). */
export function spawnProcess(argv: readonly string[], options: SpawnOptions = {}): Child {
  const pipes = (options.stdio ?? []).map((entry) => (entry === "named-pipe" ? pipe() : undefined))
  const stdio = (options.stdio ?? ["ignore", "ignore", "ignore"]).map((entry, index) => pipes[index]?.writeEnd ?? entry)
  let child: Bun.Subprocess
  try {
    child = Bun.spawn([...argv], {
      cwd: options.cwd,
      env: options.env,
      detached: options.detached ?? false,
      stdio: stdio as ["ignore", "ignore", "ignore"],
    })
  } catch (error) {
    for (const one of pipes) if (one !== undefined) close(one.readEnd)
    throw error
  } finally {
    for (const one of pipes) if (one !== undefined) close(one.writeEnd)
  }
  started.add(child.pid)
  void child.exited.finally(() => started.delete(child.pid))
  const own = child as unknown as Partial<Pick<Child, "stdout" | "stderr">>
  const [stdout, stderr] = [1, 2].map((index) => pipes[index] && readPipe(pipes[index].readEnd))
  return {
    pid: child.pid as Pid,
    exited: child.exited,
    stdout: stdout ?? own.stdout,
    stderr: stderr ?? own.stderr,
    unref: () => child.unref(),
    kill: (signal) => child.kill(signal),
  }
}

/** By the event loop; takes the descriptor over. */
async function* readPipe(fd: number): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of Bun.file(fd).stream()) yield chunk
  } finally {
    close(fd)
  }
}

/** A program that has ended, with its output. */
export interface RunResult {
  /** Exit code, or 128 + n when a signal ended it. */
  code: number
  stdout: string
  stderr: string
}

const MAX_OUTPUT_BYTES = 1024 * 1024
const PIPE_BYTES = 64 * 1024
const SIGTERM = 15

/** Runs a program to its end; of each output stream the first MiB is kept, `input` has 64 KiB at most. `signal` ends it, and its reason is thrown. */
export async function run(
  argv: readonly string[],
  options: Pick<SpawnOptions, "cwd" | "env"> & { input?: string; signal?: AbortSignal | undefined } = {},
): Promise<RunResult> {
  const { input, signal, ...rest } = options
  signal?.throwIfAborted()
  const stdin = input === undefined ? undefined : filledPipe(input)
  let child: Child
  try {
    child = spawnProcess(argv, { ...rest, stdio: [stdin ?? "ignore", "pipe", "pipe"] })
  } finally {
    if (stdin !== undefined) close(stdin)
  }
  const stop = () => sendSignal(child.pid, SIGTERM)
  signal?.addEventListener("abort", stop)
  try {
    const [stdout, stderr, code] = await Promise.all([collect(child.stdout), collect(child.stderr), child.exited])
    signal?.throwIfAborted()
    return { code, stdout, stderr }
  } finally {
    signal?.removeEventListener("abort", stop)
  }
}

/** A pipe that holds `text` already: a program may open it again as /dev/stdin (crun does), which a socket refuses. */
function filledPipe(text: string): number {
  const bytes = Buffer.from(text)
  if (bytes.length > PIPE_BYTES) throw new RangeError(`more than ${PIPE_BYTES} bytes of input`)
  const { readEnd, writeEnd } = pipe()
  writeSync(writeEnd, bytes)
  close(writeEnd)
  return readEnd
}

/** Reads to the end, keeping no more than the first `maxBytes`. */
export async function collect(
  stream: AsyncIterable<Uint8Array> = empty(),
  maxBytes = MAX_OUTPUT_BYTES,
): Promise<string> {
  const chunks: Uint8Array[] = []
  let kept = 0
  for await (const chunk of stream) {
    if (kept >= maxBytes) continue
    chunks.push(chunk.subarray(0, maxBytes - kept))
    kept += chunk.length
  }
  return Buffer.concat(chunks).toString("utf8")
}

async function* empty(): AsyncIterable<Uint8Array> {}

/** When `pid` was started; undefined when there is no such process, or only its zombie is left. */
export function processStartTime(pid: number): StartTime | undefined {
  const fields = livingStat(pid)
  return fields === undefined ? undefined : (Number(fields[19]) as StartTime)
}

/** The process that `pid` is a child of; undefined when there is no such process, or only its zombie is left. */
export function parentOf(pid: number): Pid | undefined {
  const fields = livingStat(pid)
  return fields === undefined ? undefined : (Number(fields[1]) as Pid)
}

/** The device number of the controlling terminal of `pid`; 0 when it has none. */
export function terminalOf(pid: number): number {
  return Number(livingStat(pid)?.[4] ?? 0)
}

/** The process group of `pid`; undefined when there is no such process, or only its zombie is left. */
export function processGroupOf(pid: number): Pid | undefined {
  const fields = livingStat(pid)
  return fields === undefined ? undefined : (Number(fields[2]) as Pid)
}

/** Whether the process has a handler of its own for a signal; false when it is gone. */
export function catchesSignal(pid: Pid, signal: number): boolean {
  // proc_pid_status(5): bit n - 1 is signal n
  const [, mask = "0"] = /^SigCgt:\t([0-9a-f]+)$/m.exec(readStatus(pid)) ?? []
  return (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n
}

function readStatus(pid: Pid): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "latin1")
  } catch {
    return ""
  }
}

/** proc_pid_stat(5) from the state on. */
function livingStat(pid: number): string[] | undefined {
  const stat = readStat(pid)
  if (stat === undefined) return undefined
  // the name in parentheses may itself hold spaces and parentheses
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields
}

/** More than the line can have: a name of 16 bytes and 51 numbers. */
const statBytes = Buffer.alloc(2048)

/** In three system calls, as `ps` makes it of every container. */
function readStat(pid: number): string | undefined {
  let fd: number
  try {
    fd = openSync(`/proc/${pid}/stat`, "r")
  } catch {
    return undefined
  }
  try {
    return statBytes.toString("latin1", 0, readSync(fd, statBytes))
  } catch {
    return undefined // ESRCH: it has ended meanwhile
  } finally {
    closeSync(fd)
  }
}

/** Whether the very process that had this pid and start time still runs. */
export function isAlive(pid: number, startTime: StartTime): boolean {
  return processStartTime(pid) === startTime
}

/** Signals the process only while it is the one that was started then; false when it is gone. */
export function signalProcess(pid: Pid, startTime: StartTime, signal: number): boolean {
  // 0 and negative pids mean groups, or everybody: never
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid, startTime)) return false
  return sendSignal(pid, signal)
}

/** As signalProcess, and with it all of the process group that it leads. */
export function signalGroup(leader: Pid, startTime: StartTime, signal: number): boolean {
  if (!Number.isSafeInteger(leader) || leader <= 1 || !isAlive(leader, startTime)) return false
  return processGroupOf(leader) === leader && sendSignal(-leader, signal)
}

/** Another value after each start of the machine. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()
}
