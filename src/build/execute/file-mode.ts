import { InvalidArgument } from "../../base/errors.ts"

/** What `--chmod` makes of a file's mode. */
export type ChangeMode = (mode: number, isDirectory: boolean) => number

const WHO: Record<string, number> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 }
const BITS: Record<string, number> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 }
const UMASK = 0o022

/** Whether `--chmod` is a number. */
export function isOctal(text: string): boolean {
  return /^[0-7]{1,4}$|^0[0-7]{4}$/.test(text)
}

/** Parses `--chmod`: octal, or symbolic as BSD's setmode(3) has it (`u=rwX,go-w`), which buildkit took. Throws InvalidArgument. */
export function parseChmod(text: string): ChangeMode {
  if (isOctal(text)) {
    const mode = Number.parseInt(text, 8)
    return () => mode
  }
  const clauses = text.split(",").map((clause) => parseClause(clause, text))
  return (mode, isDirectory) => {
    // X asks for the mode that the file had at first
    const execute = isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0
    return clauses.reduce((before, change) => change(before, isDirectory, execute), mode)
  }
}

function parseClause(clause: string, text: string): (mode: number, isDirectory: boolean, execute: number) => number {
  const [, who = "", actions = ""] = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/.exec(clause) ?? []
  if (actions === "")
    throw new InvalidArgument(`invalid chmod "${text.slice(0, 100)}"`, { hint: "such as 755, 0644 or u=rwX,go=rX" })
  const mask = who === "" ? 0o7777 & ~UMASK : [...who].reduce((bits, letter) => bits | (WHO[letter] ?? 0), 0)
  const steps = [...actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, sign = "", words = ""]) => ({ sign, words }))
  return (mode, isDirectory, execute) =>
    steps.reduce((before, { sign, words }) => {
      const bits = bitsOf(words, before, execute) & mask
      if (sign === "+") return before | bits
      if (sign === "-") return before & ~bits
      // what is not named goes; the sticky bit of a directory belongs to nobody but `t`
      const named = mask & (who.includes("a") || who.includes("o") ? 0o7777 : 0o6777)
      const all = who === "" ? (isDirectory ? 0o777 : 0o7777) : named
      const cleared = /^[ugo]$/.test(words) ? all & 0o777 : all
      return (before & ~cleared) | bits
    }, mode)
}

function bitsOf(words: string, mode: number, execute: number): number {
  if (/^[ugo]$/.test(words)) {
    const three = (mode >> (words === "u" ? 6 : words === "g" ? 3 : 0)) & 0o7
    return three * 0o111
  }
  return [...words].reduce((bits, letter) => bits | (letter === "X" ? execute : (BITS[letter] ?? 0)), 0)
}
