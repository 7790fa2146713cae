import { readFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { randomHex } from "../../base/random-hex.ts"
import { close, pipe } from "../../sys/libc.ts"
import { killTree } from "../../sys/process/kill-tree.ts"
import { PipeReader } from "../../sys/process/pipe.ts"
import { wakeCgroupLock } from "../../sys/process/cgroup-lock.ts"
import { isAlive, processStartTime, spawnProcess, type Pid, type StartTime } from "../../sys/process/process.ts"
import { monitorEnvironment } from "../monitor/monitor.ts"
import type { ProberOptions, ProbeProgram, ProbeResult } from "../runtime.ts"
import { ProbeOutput } from "./output.ts"
import { writeProcess } from "./process-file.ts"

/**
 * A shell that stays in the container between its checks. It was put there by the runtime, as any exec is: with the container's
 * user, capabilities, seccomp filter, cgroup. It waits for a line, runs the check in a subshell, and says what came of it.
 * When we are killed its standard input ends, and it ends.
 */
export class ResidentShell implements Disposable {
  readonly #pid: Pid
  readonly #startTime: StartTime
  readonly #input: number
  readonly #reader: PipeReader
  readonly #mark: string
  #isOpen = true

  private constructor(pid: Pid, startTime: StartTime, streams: { input: number; reader: PipeReader; mark: string }) {
    this.#pid = pid
    this.#startTime = startTime
    this.#input = streams.input
    this.#reader = streams.reader
    this.#mark = streams.mark
  }

  /** Undefined: there is no shell in this container. */
  static async open(options: ProberOptions): Promise<ResidentShell | undefined> {
    const { id, runtime, directory, program } = options
    const mark = randomHex(8)
    const pidFile = join(directory, "pidfile")
    const file = writeProcess(options, shellWords(program, mark))
    const input = pipe()
    const output = pipe()
    wakeCgroupLock()
    const reader = new PipeReader(output.readEnd)
    try {
      const words = ["exec", "--detach", "--pid-file", pidFile, "--process", file, id]
      const child = spawnProcess([runtime.path, ...runtime.globalArgs, ...words], {
        cwd: "/",
        env: monitorEnvironment(process.env),
        stdio: [input.readEnd, output.writeEnd, output.writeEnd],
        detached: true,
      })
      const code = await child.exited
      const pid = code === 0 ? (Number(readFileSync(pidFile, "latin1")) as Pid) : undefined
      const startTime = pid && processStartTime(pid)
      if (pid !== undefined && startTime !== undefined)
        return new ResidentShell(pid, startTime, { input: input.writeEnd, reader, mark })
    } finally {
      close(input.readEnd)
      close(output.writeEnd)
    }
    close(input.writeEnd)
    reader[Symbol.dispose]()
    return undefined
  }

  get isOpen(): boolean {
    return this.#isOpen && isAlive(this.#pid, this.#startTime)
  }

  /** One that takes too long is killed with the shell. Undefined: the shell has ended meanwhile. */
  async run(timeoutMs: number, maxOutputBytes: number): Promise<ProbeResult | undefined> {
    const output = new ProbeOutput(maxOutputBytes)
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      this[Symbol.dispose]()
    }, timeoutMs)
    try {
      writeSync(this.#input, "\n")
      const exitCode = await output.readTo(this.#reader, this.#mark)
      if (timedOut) return { exitCode: -1, output: output.text(), timedOut }
      // the mark stands on a line of its own: the newline before it is not the check's
      return exitCode === undefined ? undefined : { exitCode: Number(exitCode), output: output.text(1), timedOut }
    } catch {
      return undefined // EPIPE
    } finally {
      clearTimeout(timer)
    }
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (isAlive(this.#pid, this.#startTime)) killTree(this.#pid)
    close(this.#input)
    this.#reader[Symbol.dispose]()
  }
}

/** `exec` takes a program where the shell has a word of the same name; `eval` spares another shell. */
function shellWords(program: ProbeProgram, mark: string): string[] {
  const check = "text" in program ? 'c=$1; shift; eval "$c"' : 'exec "$@"'
  const loop = `while IFS= read -r _; do (${check}) </dev/null 2>&1; r=$?; echo; echo "${mark}$r"; done`
  return ["/bin/sh", "-c", loop, "/bin/sh", ...("text" in program ? [program.text] : program.words)]
}
