import { InvalidArgument } from "../../base/errors.ts"

/** What `--chmod` makes of a file's mode. */
export type ChangeMode = (mode: number, isDirectory: boolean) => number

const WHO: Record<string, number> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 }
const BITS: Record<string, number> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 }
const UMASK = 0o022

/** Parses `--chmod`: octal, or symbolic as chmod(1) has it (`u=rwX,go-w`). Throws InvalidArgument. */
export function parseChmod(text: string): ChangeMode {
  if (/^[0-7]{1,4}$|^0[0-7]{4}$/.test(text)) {
    const mode = Number.parseInt(text, 8)
    return () => mode
  }
  const clauses = text.split(",").map((clause) => parseClause(clause, text))
  return (mode, isDirectory) => clauses.reduce((before, change) => change(before, isDirectory), mode)
}

function parseClause(clause: string, text: string): ChangeMode {
  const [, who = "", actions = ""] = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/.exec(clause) ?? []
  if (actions === "")
    throw new InvalidArgument(`invalid chmod "${text.slice(0, 100)}"`, { hint: "such as 755, 0644 or u=rwX,go=rX" })
  const mask = who === "" ? 0o7777 & ~UMASK : [...who].reduce((bits, letter) => bits | (WHO[letter] ?? 0), 0)
  const steps = [...actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, sign = "", words = ""]) => ({ sign, words }))
  return (mode, isDirectory) =>
    steps.reduce((before, { sign, words }) => {
      const bits = bitsOf(words, before, isDirectory) & mask
      if (sign === "+") return before | bits
      if (sign === "-") return before & ~bits
      // what is not named goes; the sticky bit of a folder belongs to nobody but `t`
      const cleared = who === "" ? 0o777 : mask & (who.includes("a") || who.includes("o") ? 0o7777 : 0o6777)
      return (before & ~cleared) | bits
    }, mode)
}

function bitsOf(words: string, mode: number, isDirectory: boolean): number {
  if (/^[ugo]$/.test(words)) {
    const three = (mode >> (words === "u" ? 6 : words === "g" ? 3 : 0)) & 0o7
    return three * 0o111
  }
  const execute = isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0
  return [...words].reduce((bits, letter) => bits | (letter === "X" ? execute : (BITS[letter] ?? 0)), 0)
}
