const STEP_BYTES = 16 * 1024 ** 2
/** What a program may need beyond what was seen of it. */
const HEADROOM = 1.25

/** What a container was seen to use. */
export interface ObservedUse {
  /** That it ran while the meter looked. */
  seconds: number
  cpuSeconds: number
  /** Held on average; undefined: nobody sampled. */
  meanMemoryBytes: number | undefined
  /** The most that was ever held, where that is known. */
  peakMemoryBytes: number | undefined
  /** As it is limited now. */
  memoryLimitBytes: number | undefined
  cpuLimit: number | undefined
}

/** Limits that fit what was seen, with the arithmetic. */
export interface LimitAdvice {
  memoryBytes: number | undefined
  cpus: number | undefined
  arithmetic: string[]
}

/** Peak and a quarter, in steps of 16 MiB; twice the average of the processors, in tenths. Pure. */
export function adviseLimits(use: ObservedUse): LimitAdvice {
  const { seconds, cpuSeconds, meanMemoryBytes, peakMemoryBytes } = use
  const most = peakMemoryBytes ?? meanMemoryBytes
  const arithmetic: string[] = []
  const memoryBytes =
    most === undefined ? undefined : Math.max(STEP_BYTES, Math.ceil((most * HEADROOM) / STEP_BYTES) * STEP_BYTES)
  if (memoryBytes !== undefined && most !== undefined)
    arithmetic.push(
      `memory: ${peakMemoryBytes === undefined ? "average" : "peak"} ${mib(most)} MiB × ${HEADROOM} → ${mib(memoryBytes)} MiB`,
    )
  const mean = seconds > 0 ? cpuSeconds / seconds : undefined
  const cpus = mean === undefined ? undefined : Math.max(0.1, Math.ceil(mean * 2 * 10) / 10)
  if (mean !== undefined && cpus !== undefined)
    arithmetic.push(
      `CPU: ${cpuSeconds.toFixed(2)} s in ${seconds.toFixed(0)} s = ${mean.toFixed(3)} cores × 2 → ${cpus.toFixed(1)} cores`,
    )
  return { memoryBytes, cpus, arithmetic }
}

function mib(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1)
}
