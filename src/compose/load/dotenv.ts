import { yamlLines } from "../../spec/yaml/read-yaml.ts"
import { fault } from "./fault.ts"
import { InvalidTemplate, RequiredVariable, substitute } from "./substitute.ts"
import type { Origin } from "./tree.ts"
import type { Warn } from "./warn.ts"

/** What the values of a file may name, and who hears of what they name and nobody sets. */
export interface DotenvContext {
  /** Looked in first: it beats the file itself. */
  environment: Readonly<Record<string, string | undefined>>
  /** What earlier files set. */
  earlier?: Readonly<Record<string, string>>
  warn: Warn
}

const STATEMENT = /(?:\s+|#[^\n]*)*/y
const EXPORT = /export(?=[\t\v\f ])[\t\v\f ]*/y
const KEY = /([\p{L}\p{N}_.\-[\] \t]*?)[ \t]*(?:([=:])[ \t]*|\n|$)/uy
const QUOTED = /"((?:[^"\\]|\\[^])*)"|'((?:[^'\\]|\\[^])*)'/y
const REST = /[^\n]*/y
const ESCAPE = /\\(?:0([0-7]{0,3})|([abcfnrtv$"\\]))/g
const ESCAPED: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  '"': '"',
  "\\": "\\",
  // doubled: the value is a template yet
  $: "$$",
}

/**
 * Variables of a `.env` or `env_file` text, in order: `KEY=value`, `KEY: value`, `export KEY=value`; `KEY` alone is taken from the
 * environment, where that has it. Throws InvalidArgument in docker's words, with the line.
 */
export function parseDotenv(text: string, file: string, context: DotenvContext): Record<string, string> {
  return new Dotenv(yamlLines(text), file, context).read()
}

class Dotenv {
  readonly #text: string
  readonly #file: string
  readonly #context: DotenvContext
  readonly #values: Record<string, string> = {}
  #at = 0

  constructor(text: string, file: string, context: DotenvContext) {
    this.#text = text
    this.#file = file
    this.#context = context
  }

  read(): Record<string, string> {
    for (;;) {
      this.#match(STATEMENT)
      if (this.#at >= this.#text.length) return this.#values
      this.#statement()
    }
  }

  #statement(): void {
    const start = this.#at
    this.#match(EXPORT)
    const keyAt = this.#at
    const [, key = "", separator] = this.#match(KEY) ?? this.#badKey(keyAt)
    if (/\s/.test(key)) this.#fail("key cannot contain a space", start)
    const inherited = this.#context.environment[key]
    if (separator !== undefined) this.#set(key, this.#value())
    else if (inherited !== undefined) this.#set(key, inherited)
  }

  #set(key: string, value: string): void {
    // `__proto__` is a name like others
    Object.defineProperty(this.#values, key, { value, enumerable: true, writable: true, configurable: true })
  }

  #badKey(at: number): never {
    const line = this.#lineAt(at)
    const bad = /[^\p{L}\p{N}_.\-[\]\s]/u.exec(line)?.[0] ?? ""
    return this.#fail(`unexpected character ${JSON.stringify(bad)} in variable name ${JSON.stringify(line)}`, at)
  }

  #value(): string {
    const start = this.#at
    const quote = this.#text[start]
    if (quote !== '"' && quote !== "'") {
      const [line = ""] = this.#match(REST) ?? []
      return this.#expanded(line.replace(/ #.*$/, "").trimEnd(), start)
    }
    const found = this.#match(QUOTED)
    if (!found) return this.#fail(`unterminated quoted value ${this.#lineAt(start)}`, start)
    const [, double, single = ""] = found
    if (double === undefined) return single.replaceAll("\\'", "'")
    return this.#expanded(double.replace(ESCAPE, unescaped), start)
  }

  #expanded(template: string, at: number): string {
    if (!template.includes("$")) return template
    try {
      return substitute(template, {
        get: (name) => this.#lookUp(name),
        onUnset: (name) =>
          this.#context.warn({
            message: `The "${name}" variable is not set. Defaulting to a blank string.`,
            origin: this.#origin(at),
          }),
      })
    } catch (error) {
      if (error instanceof RequiredVariable) throw this.#fault(error.message, at)
      if (error instanceof InvalidTemplate) throw this.#fault(`Invalid template: ${JSON.stringify(error.message)}`, at)
      throw error
    }
  }

  #lookUp(name: string): string | undefined {
    const { environment, earlier = {} } = this.#context
    for (const source of [environment, this.#values, earlier]) if (Object.hasOwn(source, name)) return source[name]
    return undefined
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (!found) return undefined
    this.#at += found[0].length
    return found
  }

  #lineAt(at: number): string {
    return this.#text.slice(at).split("\n", 1)[0] ?? ""
  }

  #origin(at: number): Origin {
    const before = this.#text.slice(0, at)
    const source = { name: this.#file, text: this.#text }
    return { file: this.#file, line: before.split("\n").length, column: at - before.lastIndexOf("\n"), source }
  }

  #fault(words: string, at: number): Error {
    return fault(`failed to read ${this.#file}: ${words}`, this.#origin(at))
  }

  #fail(words: string, at: number): never {
    throw this.#fault(`line ${this.#origin(at).line}: ${words}`, at)
  }
}

/** As Go's Unquote of `\ooo`, which wants three digits; what it does not know stays, without the 0. */
function unescaped(whole: string, octal: string | undefined, letter: string | undefined): string {
  if (letter !== undefined) return ESCAPED[letter] ?? whole
  const code = Number.parseInt(octal ?? "", 8)
  return octal?.length === 3 && code < 256 ? String.fromCharCode(code) : `\\${octal ?? ""}`
}
