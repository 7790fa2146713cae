import { FailedPrecondition } from "../base/errors.ts"

/** A server, and what each application is given as a virtual machine. */
export interface DensityRequest {
  ramBytes: number
  cpus: number
  app: { ramBytes: number; cpus: number }
  /** Of containers, added up: what they used while they ran. */
  measured: { containers: number; seconds: number; cpuSeconds: number; memoryByteSeconds: number; isBound: boolean }
}

/** How many fit, with the arithmetic. */
export interface Density {
  virtualMachines: number
  containers: number
  arithmetic: string[]
}

/** Kept free of what is measured: a server that is full has no room for a peak. */
const HEADROOM = 1.5

/** Virtual machines reserve what they are given; containers take what they use. Pure. Throws FailedPrecondition where nothing was measured. */
export function adviseDensity({ ramBytes, cpus, app, measured }: DensityRequest): Density {
  const { seconds, cpuSeconds, memoryByteSeconds, containers, isBound } = measured
  if (seconds <= 0 || memoryByteSeconds <= 0)
    throw new FailedPrecondition("no use of a container was measured", {
      hint: "run the application as a container first, with the meter on",
    })
  const byRam = Math.floor(ramBytes / app.ramBytes)
  const byCpu = Math.floor(cpus / app.cpus)
  const memory = memoryByteSeconds / seconds
  const cores = cpuSeconds / seconds
  const ownRam = Math.floor(ramBytes / (memory * HEADROOM))
  const ownCpu = cores > 0 ? Math.floor(cpus / (cores * HEADROOM)) : Infinity
  return {
    virtualMachines: Math.min(byRam, byCpu),
    containers: Math.min(ownRam, ownCpu),
    arithmetic: [
      `virtual machines: min(${gib(ramBytes)} GiB ÷ ${gib(app.ramBytes)} GiB = ${byRam}, ${cpus} CPUs ÷ ${app.cpus} = ${byCpu}) = ${Math.min(byRam, byCpu)}`,
      `measured: ${containers} containers for ${seconds.toFixed(0)} s: ${isBound ? "at most " : ""}${(memory / 1024 ** 2).toFixed(1)} MiB and ${cores.toFixed(4)} cores each on average`,
      `containers: min(${gib(ramBytes)} GiB ÷ (${(memory / 1024 ** 2).toFixed(1)} MiB × ${HEADROOM}) = ${ownRam}, ${cpus} CPUs ÷ (${cores.toFixed(4)} × ${HEADROOM}) = ${ownCpu}) = ${Math.min(ownRam, ownCpu)}`,
    ],
  }
}

function gib(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(bytes % 1024 ** 3 === 0 ? 0 : 1)
}
