import { spawn } from "node:child_process"
import { once } from "node:events"

const SYS_RENAMEAT2 = process.arch === "arm64" ? 276 : 316
const SCRIPT = `
  $| = 1; print "ready\\n";
  while (1) { syscall(${SYS_RENAMEAT2}, -100, $ARGV[0], -100, $ARGV[1], 2) }`

/**
 * Exchanges two names (renameat2(2), RENAME_EXCHANGE) as fast as a processor can, as a hostile program in a container would, until it is
 * disposed of. The paths may lead through /proc/PID/root.
 */
export async function swapForever(a: string, b: string): Promise<AsyncDisposable> {
  const child = spawn("perl", ["-e", SCRIPT, a, b], { stdio: ["ignore", "pipe", "inherit"] })
  await once(child.stdout, "data")
  const ended = once(child, "close")
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL")
      await ended
    },
  }
}
