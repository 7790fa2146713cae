import type { RunResult } from "./process.ts"

/**
 * Runs a program to its end while this process stands still: for a few milliseconds, where nothing of ours may happen
 * between (inside a transaction of the records, under a lock). A daemon that it leaves must not keep its output.
 */
export function runSync(argv: readonly string[], input?: string): RunResult {
  const { exitCode, signalCode, stdout, stderr } = Bun.spawnSync([...argv], {
    stdin: input === undefined ? "ignore" : Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
  })
  const code = signalCode === undefined ? exitCode : SIGNALLED
  return { code, stdout: stdout.toString(), stderr: stderr.toString() }
}

const SIGNALLED = 128
