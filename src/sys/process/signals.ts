import { InvalidArgument } from "../../base/errors.ts"

/** signal(7); the same numbers on x86-64 and arm64. */
const NUMBERS: Record<string, number> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  IOT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  POLL: 29,
  PWR: 30,
  SYS: 31,
}

// glibc keeps 32 and 33 for its threads
const RTMIN = 34
const RTMAX = 64

/** Parses a signal as docker does: `SIGTERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-1`. Throws InvalidArgument. */
export function parseSignal(text: string): number {
  const name = text.trim().toUpperCase().replace(/^SIG/, "")
  const number = /^\d+$/.test(name) ? Number(name) : (NUMBERS[name] ?? realTime(name))
  if (number === undefined || number < 1 || number > RTMAX)
    throw new InvalidArgument(`invalid signal "${text}"`, { hint: "expected a name or number such as SIGTERM or 15" })
  return number
}

function realTime(name: string): number | undefined {
  const [, base, sign, digits = "0"] = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name) ?? []
  if (base === undefined) return undefined
  const number =
    base === "MIN" ? RTMIN + (sign === "-" ? NaN : Number(digits)) : RTMAX - (sign === "+" ? NaN : Number(digits))
  return number >= RTMIN && number <= RTMAX ? number : undefined
}

/** `SIGTERM` for 15, `SIGRTMIN+3` for 37; the number itself for one without a name. */
export function signalName(number: number): string {
  const name = Object.keys(NUMBERS).find((key) => NUMBERS[key] === number)
  if (name !== undefined) return `SIG${name}`
  if (number < RTMIN || number > RTMAX) return String(number)
  return number === RTMIN ? "SIGRTMIN" : `SIGRTMIN+${number - RTMIN}`
}
