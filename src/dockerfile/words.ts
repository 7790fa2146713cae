/**
 * Words of a Dockerfile: quotes, escapes and variables, in the shell's manner as BuildKit has it (Dockerfile reference,
 * "Environment replacement"). `$name`, `${name}` and, of `${name…}`: `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/` `//`.
 */
import { InvalidArgument } from "../base/errors.ts"
import { matchHead, type PatternToken } from "./pattern.ts"

/** Names and values of ARG and ENV at one place of a stage. */
export type Variables = ReadonlyMap<string, string>

/** How a word is read; all default to false, the escape to a backslash. */
export interface WordOptions {
  escape?: "\\" | "`"
  /** Quotes stay in the result. */
  rawQuotes?: boolean
  rawEscapes?: boolean
  /** Quotes are ordinary characters (in here-documents). */
  skipQuotes?: boolean
  /** What names an unset variable stays as it is. */
  keepUnset?: boolean
}

/** A word after its variables were put in. */
export interface Expansion {
  text: string
  /** `text` parted at spaces that were not quoted. */
  words: readonly string[]
  /** Names that had a value, and that had none. */
  used: ReadonlySet<string>
  unset: ReadonlySet<string>
}

const NONE: ReadonlySet<string> = new Set()
// what doubles with each line (ENV a=$a$a) must end somewhere; the kernel takes 128 KiB a variable
const MAX_LENGTH = 1024 ** 2
// each place of the value may be looked at from every place before it
const MAX_REPLACED = 16 * 1024
const MAX_DEPTH = 100

/** Expands `word`. Throws InvalidArgument with the reason. */
export function expand(word: string, variables: Variables, options: WordOptions = {}): Expansion {
  const escape = options.escape ?? "\\"
  if (!word.includes("$") && !word.includes(escape) && (options.skipQuotes || !/["']/.test(word)))
    return { text: word, words: splitAtSpaces(word), used: NONE, unset: NONE }
  const lexer = new Lexer(word, variables, options)
  try {
    const [text, words] = lexer.until(undefined, options.rawEscapes ?? false)
    return { text, words, used: lexer.used, unset: lexer.unset }
  } catch (error) {
    if (!(error instanceof WordFault)) throw error
    const shown = word.length > 200 ? `${word.slice(0, 200)}…` : word
    throw new InvalidArgument(`failed to process ${JSON.stringify(shown)}: ${error.message}`)
  }
}

/** The expanded text alone. */
export function expandWord(word: string, variables: Variables, options?: WordOptions): string {
  return expand(word, variables, options).text
}

class WordFault extends Error {}

const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/
const LETTER = /[\p{L}\p{Nd}_]/u
const DIGIT = /\p{Nd}/u
// POSIX 2.5.2, special parameters
const SPECIAL = "@*#?-$!0"

function splitAtSpaces(text: string): string[] {
  return text.split(/[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/).filter(Boolean)
}

/** Collects words: characters that are quoted or escaped never part one. */
class Words {
  readonly done: string[] = []
  #word = ""

  add(text: string): void {
    for (const char of text) {
      if (!SPACE.test(char)) this.#word += char
      else this.end()
    }
  }

  addQuoted(text: string): void {
    this.#word += text
  }

  end(): void {
    if (this.#word !== "") this.done.push(this.#word)
    this.#word = ""
  }
}

class Lexer {
  readonly used = new Set<string>()
  readonly unset = new Set<string>()
  readonly #chars: readonly string[]
  readonly #variables: Variables
  readonly #options: WordOptions
  readonly #escape: string
  #at = 0
  #rawEscapes = false
  #produced = 0
  #depth = 0

  constructor(word: string, variables: Variables, options: WordOptions) {
    this.#chars = Array.from(word)
    this.#variables = variables
    this.#options = options
    this.#escape = options.escape ?? "\\"
  }

  /** Reads on to `stop` (or the end), which is taken but not given. */
  until(stop: string | undefined, rawEscapes: boolean): [text: string, words: readonly string[]] {
    if (++this.#depth > MAX_DEPTH) throw new WordFault(`more than ${MAX_DEPTH} substitutions within each other`)
    const outer = this.#rawEscapes
    this.#rawEscapes = rawEscapes
    const words = new Words()
    let text = ""
    for (;;) {
      const char = this.#next()
      if (char === stop) break
      if (char === undefined) throw new WordFault(`unexpected end of statement while looking for matching ${stop}`)
      if (char === "$") {
        const value = this.#dollar()
        text += this.#count(value)
        words.add(value)
      } else if ((char === "'" || char === '"') && !this.#options.skipQuotes) {
        const value = char === "'" ? this.#singleQuoted() : this.#doubleQuoted()
        text += value
        words.addQuoted(value)
      } else if (char === this.#escape) {
        const escaped = this.#next()
        const value = (rawEscapes ? char : "") + (escaped ?? "")
        text += value
        words.addQuoted(value)
      } else {
        text += char
        words.add(char)
      }
    }
    words.end()
    this.#rawEscapes = outer
    this.#depth--
    return [text, words.done]
  }

  #next(): string | undefined {
    return this.#chars[this.#at++]
  }

  #peek(): string | undefined {
    return this.#chars[this.#at]
  }

  #count(value: string): string {
    this.#produced += value.length
    if (this.#produced > MAX_LENGTH) throw new WordFault("its variables give more than 1 MiB")
    return value
  }

  #singleQuoted(): string {
    const end = this.#chars.indexOf("'", this.#at)
    if (end < 0) throw new WordFault("unexpected end of statement while looking for matching single-quote")
    const text = this.#chars.slice(this.#at, end).join("")
    this.#at = end + 1
    return this.#options.rawQuotes ? `'${text}'` : text
  }

  #doubleQuoted(): string {
    let text = ""
    for (;;) {
      const char = this.#next()
      if (char === undefined) throw new WordFault("unexpected end of statement while looking for matching double-quote")
      if (char === '"') return this.#options.rawQuotes ? `"${text}"` : text
      if (char === "$") text += this.#count(this.#dollar())
      else if (char === this.#escape) text += this.#escapedInQuotes()
      else text += char
    }
  }

  // only these are escaped in double quotes; before another character the escape stays
  #escapedInQuotes(): string {
    const raw = this.#rawEscapes ? this.#escape : ""
    const char = this.#peek()
    if (char === undefined) return raw
    if (char !== '"' && char !== "$" && char !== this.#escape) return raw + this.#escape
    this.#at++
    return raw + char
  }

  /** What stands for `$…`; the `$` is taken already. */
  #dollar(): string {
    if (this.#peek() !== "{") {
      const name = this.#name()
      return name === "" ? "$" : (this.#value(name) ?? (this.#options.keepUnset ? `$${name}` : ""))
    }
    this.#at++
    const first = this.#peek()
    if (first === undefined) throw new WordFault("syntax error: missing '}'")
    if (first === "{" || first === "}" || first === ":") throw new WordFault("syntax error: bad substitution")
    const name = this.#name()
    const modifier = this.#next()
    if (modifier === "}") return this.#value(name) ?? (this.#options.keepUnset ? `\${${name}}` : "")
    if (modifier === "/") return this.#replaced(name)
    return this.#modified(name, modifier)
  }

  #modified(name: string, sign: string | undefined): string {
    const modifier = sign === ":" ? this.#next() : sign
    const written = (sign === ":" ? ":" : "") + (modifier ?? "")
    if (modifier === undefined || (sign !== ":" && !"+-?#%".includes(modifier)))
      throw new WordFault(modifier === undefined ? "syntax error: missing '}'" : unsupported(written))
    const word = this.#untilOr("}", modifier === "#" || modifier === "%", "syntax error: missing '}'")
    const value = this.#value(name)
    if (value === undefined && this.#options.keepUnset) return `\${${name}${written}${word}}`
    const missing = value === undefined || (sign === ":" && value === "")
    switch (modifier) {
      case "-":
        return missing ? word : (value ?? "")
      case "+":
        return missing ? "" : word
      case "?":
        if (!missing) return value ?? ""
        throw new WordFault(`${name}: ${word || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`)
      case "#":
      case "%":
        return trimMatch(value ?? "", word, modifier)
      default:
        throw new WordFault(unsupported(written))
    }
  }

  #replaced(name: string): string {
    const all = this.#peek() === "/"
    if (all) this.#at++
    const pattern = this.#untilOr("/", true, "syntax error: missing '/' in ${}")
    const replacement = this.#untilOr("}", true, "syntax error: missing '}'")
    const value = this.#value(name)
    if (value === undefined && this.#options.keepUnset) return `\${${name}/${pattern}/${replacement}}`
    return replaceMatch(value ?? "", parsePattern(pattern), replacement, all)
  }

  #untilOr(stop: string, rawEscapes: boolean, message: string): string {
    try {
      return this.until(stop, rawEscapes)[0]
    } catch (error) {
      if (error instanceof WordFault && this.#peek() === undefined) throw new WordFault(message)
      throw error
    }
  }

  #value(name: string): string | undefined {
    const value = this.#variables.get(name)
    ;(value === undefined ? this.unset : this.used).add(name)
    return value
  }

  #name(): string {
    const start = this.#at
    const first = this.#peek() ?? ""
    if (DIGIT.test(first)) {
      while (DIGIT.test(this.#peek() ?? "")) this.#at++
    } else if (first !== "" && SPECIAL.includes(first)) {
      this.#at++
    } else {
      while (LETTER.test(this.#peek() ?? "")) this.#at++
    }
    return this.#chars.slice(start, this.#at).join("")
  }
}

function unsupported(modifier: string): string {
  return `unsupported modifier (${modifier}) in substitution`
}

/** `*` and `?` of a substitution; `\` makes one of them, `\`, `}` or `/` a plain character. */
function parsePattern(pattern: string): PatternToken[] {
  const chars = Array.from(pattern)
  const tokens: PatternToken[] = []
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? ""
    if (char === "*") tokens.push({ kind: "star", except: "\n" })
    else if (char === "?") tokens.push({ kind: "any", except: "\n" })
    else if (char !== "\\") tokens.push({ kind: "char", char })
    else {
      const escaped = chars[++at] ?? ""
      if (escaped === "" || !"*?\\}/".includes(escaped))
        throw new WordFault(`invalid pattern (${pattern}) in substitution: invalid escape '\\${escaped}'`)
      tokens.push({ kind: "char", char: escaped })
    }
  }
  return tokens
}

function trimMatch(value: string, word: string, modifier: "#" | "%"): string {
  const greedy = word.startsWith(modifier)
  const tokens = parsePattern(greedy ? word.slice(1) : word)
  const chars = Array.from(value)
  // the shortest end is the shortest head of the text read backwards
  if (modifier === "%") {
    tokens.reverse()
    chars.reverse()
  }
  const match = matchHead(tokens, chars)
  const rest = chars.slice(match === undefined ? 0 : greedy ? match.longest : match.shortest)
  return (modifier === "%" ? rest.toReversed() : rest).join("")
}

function replaceMatch(value: string, tokens: readonly PatternToken[], replacement: string, all: boolean): string {
  if (value.length > MAX_REPLACED) throw new WordFault(`a value of more than ${MAX_REPLACED} characters to replace in`)
  const chars = Array.from(value)
  let text = ""
  let at = 0
  let matchEnd = -1
  while (at <= chars.length) {
    const length = matchEnd >= 0 && !all ? undefined : matchHead(tokens, chars, at)?.longest
    // nothing matches nothing again right behind a match
    if (length !== undefined && (length > 0 || at !== matchEnd)) {
      text += replacement
      matchEnd = at + length
      if (text.length > MAX_LENGTH) throw new WordFault("it gives more than 1 MiB")
    }
    if (length !== undefined && length > 0) at = matchEnd
    else text += chars[at++] ?? ""
  }
  return text
}
