import { close, pipe, sendSignal } from "../libc.ts"
import { collect, spawnProcess, type Child, type RunResult, type SpawnOptions } from "./process.ts"

/**
 * The program and, beside it, who reads a pipe: at its end our process has died, and the whole group is killed. The reader goes
 * when the program has ended.
 */
const KILLED_WITH_PARENT = `"$@" 3<&- & program=$!
{ read -r _; kill -9 0; } <&3 >/dev/null 2>&1 & reader=$!
wait $program; code=$?
kill -9 $reader; exit $code`

/**
 * Starts a program that cannot outlive this process, however that ends. It has a session and process group of its own, led by
 * `pid`; no standard input, and descriptors 1 and 2 as `stdio` says.
 */
export function spawnKilledWithParent(
  argv: readonly string[],
  {
    stdout,
    stderr,
    ...options
  }: Omit<SpawnOptions, "stdio" | "detached"> & Record<"stdout" | "stderr", "pipe" | "ignore">,
): Child {
  const { readEnd, writeEnd } = pipe()
  try {
    const child = spawnProcess(["/bin/sh", "-c", KILLED_WITH_PARENT, "sh", ...argv], {
      ...options,
      stdio: ["ignore", stdout, stderr, readEnd],
      detached: true,
    })
    child.exited.finally(() => close(writeEnd)).catch(() => {})
    return child
  } catch (error) {
    close(writeEnd)
    throw error
  } finally {
    close(readEnd)
  }
}

const SIGKILL = 9

/** `run` of a program that cannot outlive this process. `signal` ends it and its children, and its reason is thrown. */
export async function runKilledWithParent(
  argv: readonly string[],
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<RunResult> {
  signal?.throwIfAborted()
  const child = spawnKilledWithParent(argv, { stdout: "pipe", stderr: "pipe" })
  const stop = () => sendSignal(-child.pid, SIGKILL)
  signal?.addEventListener("abort", stop)
  try {
    const [stdout, stderr, code] = await Promise.all([collect(child.stdout), collect(child.stderr), child.exited])
    signal?.throwIfAborted()
    return { code, stdout, stderr }
  } finally {
    signal?.removeEventListener("abort", stop)
  }
}
