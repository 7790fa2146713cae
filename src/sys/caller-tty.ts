import { terminalOf } from "./process/process.ts"

/** proc_pid_stat(5): the minor number is in bits 31 to 20 and 7 to 0. */
const PTS_MAJORS = { first: 136, last: 143 }
const TTY_MAJOR = 4
const SERIAL_MINOR = 64

/** The controlling terminal of this process: `pts/3`, `tty1`, `ttyS0`; undefined without one. */
export function callerTty(): string | undefined {
  const device = terminalOf(process.pid)
  const major = (device >> 8) & 0xfff
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00)
  if (major >= PTS_MAJORS.first && major <= PTS_MAJORS.last) return `pts/${(major - PTS_MAJORS.first) * 256 + minor}`
  if (major !== TTY_MAJOR) return undefined
  return minor < SERIAL_MINOR ? `tty${minor}` : `ttyS${minor - SERIAL_MINOR}`
}
