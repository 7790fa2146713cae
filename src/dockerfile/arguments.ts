/** How the rest of an instruction is parted into arguments: each instruction has one of these ways. */
import { InvalidArgument } from "../base/errors.ts"
import type { KeyValue } from "./dockerfile.ts"

const SPACES = /[\t\v\f\r ]+/

/** `["a", "b"]`; undefined where it is not a JSON array: then it is the shell form. Throws for one that holds other than strings. */
export function parseJsonForm(rest: string): string[] | undefined {
  if (!rest.startsWith("[")) return undefined
  let value: unknown
  try {
    value = JSON.parse(rest)
  } catch {
    return undefined
  }
  if (!Array.isArray(value)) return undefined
  if (!value.every((word) => typeof word === "string"))
    throw new InvalidArgument("when using JSON array syntax, arrays must be comprised of strings only")
  return value
}

/** Parts at spaces; quotes mean nothing. */
export function splitWords(rest: string): string[] {
  return rest === "" ? [] : rest.split(SPACES)
}

/** The JSON form, or else words: COPY, ADD, VOLUME. */
export function parseList(rest: string): { words: string[]; json: boolean } {
  const json = parseJsonForm(rest)
  return json === undefined ? { words: splitWords(rest), json: false } : { words: json, json: true }
}

/** Words that may hold spaces in quotes or behind the escape character; both stay, for expansion takes them off later. */
export function splitQuotedWords(rest: string, escape: string): string[] {
  const words: string[] = []
  let word = ""
  let quote = ""
  let inWord = false
  const end = () => {
    if (inWord && word !== "") words.push(word)
    word = ""
    inWord = false
  }
  for (let at = 0; at < rest.length; at++) {
    const char = rest[at] ?? ""
    if (quote === "" && /\s/.test(char)) {
      end()
      continue
    }
    inWord = true
    if (char === escape && quote !== "'") {
      // an escape at the very end is dropped
      if (at + 1 < rest.length) word += char + (rest[++at] ?? "")
      continue
    }
    if (quote === "" && (char === "'" || char === '"')) quote = char
    else if (char === quote) quote = ""
    word += char
  }
  end()
  return words
}

/** `a=b "c"='d e'`, or the old `name the whole rest`. Throws InvalidArgument. */
export function parsePairs(rest: string, escape: string, keyword: string): KeyValue[] {
  const words = splitQuotedWords(rest, escape)
  const [first] = words
  if (first === undefined) throw new InvalidArgument(`${keyword} requires at least one argument`)
  if (!first.includes("=")) {
    const space = SPACES.exec(rest)
    if (space === null)
      throw new InvalidArgument(`${keyword} must have two arguments`, { hint: `write ${keyword} NAME=VALUE` })
    return [{ key: rest.slice(0, space.index), value: rest.slice(space.index + space[0].length), legacy: true }]
  }
  return words.map((word) => {
    const equals = word.indexOf("=")
    if (equals < 0)
      throw new InvalidArgument(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
        {
          hint: "put a value with spaces in quotes",
        },
      )
    if (equals === 0) throw new InvalidArgument(`${keyword} names can not be blank`)
    return { key: word.slice(0, equals), value: word.slice(equals + 1) }
  })
}
