import { setTimeout as sleep } from "node:timers/promises"
import { close, pipe } from "../../sys/libc.ts"
import { killTree } from "../../sys/process/kill-tree.ts"
import { PipeReader } from "../../sys/process/pipe.ts"
import { spawnProcess } from "../../sys/process/process.ts"
import { wakeCgroupLock } from "../../sys/process/cgroup-lock.ts"
import { monitorEnvironment } from "../monitor/monitor.ts"
import { plainWords } from "../oci/failure.ts"
import type { ProberOptions, ProbeResult } from "../runtime.ts"
import { ProbeOutput } from "./output.ts"
import { writeProcess } from "./process-file.ts"

/** What a check left running may keep its output open: it is not waited for. */
const DRAIN_MS = 100

/** `RUNTIME exec` for one check, with no monitor: who is killed meanwhile loses nothing but this result. */
export async function probeOnce(
  options: ProberOptions,
  words: readonly string[],
  timeoutMs: number,
): Promise<ProbeResult> {
  const { id, runtime, maxOutputBytes } = options
  const file = writeProcess(options, words)
  const { readEnd, writeEnd } = pipe()
  using reader = new PipeReader(readEnd)
  wakeCgroupLock()
  const child = spawnWith(writeEnd, () =>
    spawnProcess([runtime.path, ...runtime.globalArgs, "exec", "--process", file, id], {
      cwd: "/",
      env: monitorEnvironment(process.env),
      stdio: ["ignore", writeEnd, writeEnd],
      detached: true,
    }),
  )
  const output = new ProbeOutput(maxOutputBytes)
  const read = output.readAll(reader)
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    killTree(child.pid)
  }, timeoutMs)
  try {
    const exitCode = await child.exited
    await Promise.race([read, sleep(DRAIN_MS)])
    return { exitCode, output: exitCode === 0 ? output.text() : plainIfRuntimes(output.text()), timedOut }
  } finally {
    clearTimeout(timer)
  }
}

/** The runtime's own trouble comes in its log format; what a check wrote stays as it is. */
function plainIfRuntimes(text: string): string {
  return /^(time="|\d{4}-\d\d-\d\dT\S+: |\{"msg")/.test(text) ? plainWords(text) : text
}

/** The child has a copy of `fd`; ours goes, whether it was started or not. */
function spawnWith<T>(fd: number, spawn: () => T): T {
  try {
    return spawn()
  } finally {
    close(fd)
  }
}
