/** Where the resolver of a store says that it hears, and on which port. It outlives one that was killed, whose port the next one takes first. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { hasErrno } from "../../base/errors.ts"
import { processStartTime, type Pid } from "../../sys/process/process.ts"

/** What stands in it. */
export interface Ready {
  port: number
  pid: Pid
  startTime: number
  /** Questions are led to its port. Before that they are refused. */
  isLed: boolean
}

/** The fourth word as long as they are not. */
const UNLED = "unled"

const readyFile = (runRoot: string): string => `${runRoot}/network/resolver`

/** Undefined when there was never one, or the last has ended in peace. */
export function readReady(runRoot: string): Ready | undefined {
  try {
    const words = readFileSync(readyFile(runRoot), "utf8").split(" ")
    const [port = 0, pid = 0, startTime = 0] = words.map(Number)
    return port > 0 && port < 65536 ? { port, pid: pid as Pid, startTime, isLed: words[3] !== UNLED } : undefined
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return undefined
    throw error
  }
}

/** Whether the resolver hears at this moment, and what containers ask comes to it. */
export function isReady(runRoot: string): boolean {
  const ready = readReady(runRoot)
  return ready?.isLed === true && processStartTime(ready.pid) === ready.startTime
}

/** This process hears. `isLed`: and questions come to it. */
export function writeReady(runRoot: string, port: number, { isLed }: { isLed: boolean }): void {
  const path = readyFile(runRoot)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const pid = process.pid as Pid
  writeFileSync(`${path}.new`, `${port} ${pid} ${processStartTime(pid) ?? 0}${isLed ? "" : ` ${UNLED}`}`, {
    mode: 0o600,
  })
  renameSync(`${path}.new`, path)
}

/** It is about to end. */
export function removeReady(runRoot: string): void {
  rmSync(readyFile(runRoot), { force: true })
}
