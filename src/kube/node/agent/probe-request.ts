/** One look of a probe, and the requests of hooks. What answers is a container: hostile, slow, endless. */
import type { ProbeHandler } from "../probes.ts"
import type { ProbeResult, ProbeTarget } from "./probe-target.ts"

const MAX_OUTPUT_BYTES = 4 * 1024

/** Never throws: what fails is a failure. */
export async function probeOnce(target: ProbeTarget, handler: ProbeHandler, timeoutMs: number): Promise<ProbeResult> {
  try {
    return await withTimeout(timeoutMs, (signal) => look(target, handler, signal))
  } catch (error) {
    return { isOk: false, output: (error as Error).message }
  }
}

/** One request into a container's own network, by its loopback. Never throws: what fails is a failure. */
export async function askInside(
  target: Pick<ProbeTarget, "sandboxId" | "dial">,
  request: Exclude<ProbeHandler, { kind: "exec" }>,
  timeoutMs: number,
): Promise<ProbeResult> {
  try {
    return await withTimeout(timeoutMs, (signal) => ask({ ...target, address: "localhost" }, request, signal))
  } catch (error) {
    return { isOk: false, output: (error as Error).message }
  }
}

async function withTimeout<T>(ms: number, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`command timed out after ${ms / 1000}s: context deadline exceeded`))
      stop.abort()
    }, ms)
  })
  const work = act(stop.signal)
  // what fails after its time is up was told already
  work.catch(() => {})
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

async function look(target: ProbeTarget, handler: ProbeHandler, signal: AbortSignal): Promise<ProbeResult> {
  return handler.kind === "exec" ? runCommand(target, handler.command, signal) : ask(target, handler, signal)
}

async function ask(
  target: Pick<ProbeTarget, "address" | "sandboxId" | "dial">,
  handler: Exclude<ProbeHandler, { kind: "exec" }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  switch (handler.kind) {
    case "http":
      return (await import("./http-probe.ts")).getHttp(target, handler, signal)
    case "tcp":
      return openTcp(target, handler, signal)
    case "grpc":
      return (await import("./grpc-probe.ts")).checkGrpc(target, handler, signal)
  }
}

/** Exit code 0 is well. */
export async function runCommand(
  { containers, containerId }: Pick<ProbeTarget, "containers" | "containerId">,
  command: readonly string[],
  signal: AbortSignal,
): Promise<ProbeResult> {
  const session = await containers.execs.run(containerId, { command }, { unrecorded: true })
  const chunks: Uint8Array[] = []
  let bytes = 0
  session.attachment?.onOutput((_stream, chunk) => {
    if (bytes < MAX_OUTPUT_BYTES) chunks.push(chunk.slice(0, MAX_OUTPUT_BYTES - bytes))
    bytes += chunk.length
  })
  const { exec } = session
  const onAbort = (): void => {
    if (exec.state.status === "running")
      try {
        // it has had its time
        process.kill(exec.state.pid, "SIGKILL")
      } catch {
        // it has ended by itself
      }
    session.attachment?.[Symbol.dispose]()
  }
  signal.addEventListener("abort", onAbort, { once: true })
  const code = await session.exited
  signal.removeEventListener("abort", onAbort)
  return { isOk: code === 0, output: Buffer.concat(chunks).toString() || `command exited with ${code}` }
}

/** That somebody answers is enough. Throws when nobody does. */
export async function openTcp(
  { address, sandboxId, dial }: Pick<ProbeTarget, "address" | "sandboxId" | "dial">,
  { host, port }: { host?: string; port: number },
  signal: AbortSignal,
): Promise<ProbeResult> {
  try {
    const target = host === undefined ? { host: address, port, sandboxId } : { host, port }
    ;(await dial(target, signal)).destroy()
    return { isOk: true, output: "" }
  } catch (error) {
    throw new Error(`dial tcp ${host ?? address}:${port}: ${(error as Error).message}`, { cause: error })
  }
}
