import { InvalidArgument } from "../base/errors.ts"
import { didYouMean } from "../base/suggest.ts"

const SPACE = /\s/

/**
 * Parts `--flag=value …` at the head of an instruction from the rest. Quotes and backslashes are taken off the flags;
 * `--` alone ends them.
 */
export function splitFlags(line: string): { flags: string[]; rest: string } {
  const flags: string[] = []
  let at = 0
  for (;;) {
    while (at < line.length && SPACE.test(line[at] ?? "")) at++
    if (!line.startsWith("--", at)) return { flags, rest: line.slice(at) }
    const [word, end] = readWord(line, at)
    at = end
    if (word === "--") return { flags, rest: line.slice(at) }
    flags.push(word)
  }
}

function readWord(line: string, start: number): [word: string, end: number] {
  let word = ""
  let quote = ""
  let at = start
  for (; at < line.length; at++) {
    const char = line[at] ?? ""
    if (quote === "" && SPACE.test(char)) break
    if (char === quote) quote = ""
    else if (quote === "" && (char === "'" || char === '"')) quote = char
    else if (char !== "\\") word += char
    else word += line[++at] ?? ""
  }
  return [word, at]
}

type FlagKind = "string" | "boolean" | "strings"
type FlagValues<Kinds extends Record<string, FlagKind>> = {
  [Name in keyof Kinds]: Kinds[Name] extends "strings"
    ? string[]
    : (Kinds[Name] extends "boolean" ? boolean : string) | undefined
}

/** Reads the flags of one instruction. Throws InvalidArgument for one that it does not have, a double one, a bad value. */
export function parseFlags<Kinds extends Record<string, FlagKind>>(
  flags: readonly string[],
  kinds: Kinds,
): FlagValues<Kinds> {
  const values: Record<string, string | boolean | string[] | undefined> = {}
  for (const [name, kind] of Object.entries(kinds)) if (kind === "strings") values[name] = []
  for (const flag of flags) {
    const equals = flag.indexOf("=")
    const name = equals < 0 ? flag.slice(2) : flag.slice(2, equals)
    const value = equals < 0 ? undefined : flag.slice(equals + 1)
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined)
      throw new InvalidArgument(`unknown flag: --${name}${didYouMean(name, Object.keys(kinds))}`, {
        hint:
          kinds && Object.keys(kinds).length > 0
            ? `it has ${Object.keys(kinds)
                .map((known) => `--${known}`)
                .join(", ")}`
            : "it has no flags",
      })
    const before = values[name]
    if (Array.isArray(before)) before.push(textOf(name, value))
    else if (before !== undefined) throw new InvalidArgument(`duplicate flag specified: --${name}`)
    else values[name] = kind === "boolean" ? booleanOf(name, value) : textOf(name, value)
  }
  return values as FlagValues<Kinds>
}

function textOf(name: string, value: string | undefined): string {
  if (value === undefined)
    throw new InvalidArgument(`missing a value on flag: --${name}`, { hint: `write --${name}=VALUE` })
  return value
}

function booleanOf(name: string, value: string | undefined): boolean {
  if (value === "") throw new InvalidArgument(`missing a value on flag: --${name}`)
  const lower = value?.toLowerCase() ?? "true"
  if (lower !== "true" && lower !== "false")
    throw new InvalidArgument(`expecting boolean value for flag --${name}, not: ${value}`)
  return lower === "true"
}
