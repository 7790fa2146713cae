import { InvalidArgument } from "../../base/errors.ts"
import type { Body, Expression, For } from "./syntax.ts"
import { templateParts, tokenize, type TemplatePart, type Token } from "./tokens.ts"

/** Deeper than a person writes; far from the end of the stack. */
const MOST_DEPTH = 100
const PRECEDENCE: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "/", "%"],
]

/** Reads a file of HCL. Throws InvalidArgument with the offset in `data.at`. */
export function parseHcl(text: string): Body {
  return new Parser(tokenize(text)).file()
}

/** Reads one template as in quotes: the strings of JSON's bake files. */
export function parseTemplate(text: string): Expression {
  return templateOf(templateParts(text), 0, 0)
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth: number

  constructor(tokens: readonly Token[], depth = 0) {
    this.#tokens = tokens
    this.#depth = depth
  }

  file(): Body {
    const body = this.#body("end")
    return body
  }

  /** All of the tokens as one expression. */
  whole(): Expression {
    this.skipLines()
    const value = this.expression()
    this.skipLines()
    if (this.#token.kind !== "end") throw this.#unexpected()
    return value
  }

  get #token(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] ?? { kind: "end", text: "", at: 0 }
  }

  #unexpected(): InvalidArgument {
    const { kind, text, at } = this.#token
    return new InvalidArgument(`unexpected ${text === "" ? (kind === "end" ? "end" : "end of line") : `"${text}"`}`, {
      data: { at },
    })
  }

  skipLines(): void {
    while (this.#token.kind === "newline") this.#at++
  }

  takes(text: string): boolean {
    const { kind } = this.#token
    if ((kind !== "sign" && kind !== "name") || this.#token.text !== text) return false
    this.#at++
    return true
  }

  expect(text: string): void {
    if (!this.takes(text)) throw this.#unexpected()
  }

  name(): string {
    const { kind, text } = this.#token
    if (kind !== "name") throw this.#unexpected()
    this.#at++
    return text
  }

  get rest(): Token {
    return this.#token
  }

  #deeper<T>(read: () => T): T {
    if (++this.#depth > MOST_DEPTH) throw new InvalidArgument("nested too deeply", { data: { at: this.#token.at } })
    const value = read()
    this.#depth--
    return value
  }

  #body(until: "end" | "}"): Body {
    const body: Body = { attributes: new Map(), blocks: [] }
    for (;;) {
      this.skipLines()
      if (until === "end" && this.#token.kind === "end") return body
      if (until === "}" && this.takes("}")) return body
      const { at } = this.#token
      const name = this.name()
      if (this.takes("=")) {
        if (body.attributes.has(name)) throw new InvalidArgument(`"${name}" is given twice`, { data: { at } })
        body.attributes.set(name, { at, value: this.expression() })
      } else body.blocks.push({ type: name, labels: this.#labels(), body: this.#deeper(() => this.#body("}")), at })
      if (this.#token.kind !== "newline" && this.#token.kind !== "end" && this.#token.text !== "}")
        throw this.#unexpected()
    }
  }

  #labels(): string[] {
    const labels: string[] = []
    while (!this.takes("{")) {
      const token = this.#token
      if (token.kind === "template")
        labels.push(token.parts.map((part) => (part.kind === "text" ? part.text : `\${${part.text}}`)).join(""))
      else if (token.kind === "name") labels.push(token.text)
      else throw this.#unexpected()
      this.#at++
    }
    return labels
  }

  expression(): Expression {
    return this.#deeper(() => {
      const test = this.#binary(0)
      const { at } = test
      if (!this.#takesAcross("?")) return test
      this.skipLines()
      const yes = this.expression()
      this.skipLines()
      this.expect(":")
      this.skipLines()
      return { kind: "conditional", at, test, yes, no: this.expression() }
    })
  }

  /** Inside brackets an operator may stand on the next line. */
  #takesAcross(text: string): boolean {
    const before = this.#at
    if (this.#open > 0) this.skipLines()
    if (this.takes(text)) return true
    this.#at = before
    return false
  }

  #open = 0

  #binary(level: number): Expression {
    const operators = PRECEDENCE[level]
    if (!operators) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const operator = operators.find((one) => this.#takesAcross(one))
      if (operator === undefined) return left
      this.skipLines()
      left = { kind: "binary", at: left.at, operator, left, right: this.#binary(level + 1) }
    }
  }

  #unary(): Expression {
    const { at } = this.#token
    const operator = ["!", "-"].find((one) => this.takes(one))
    if (operator === undefined) return this.#postfix(this.#primary())
    return this.#deeper(() => ({ kind: "unary", at, operator, of: this.#unary() }))
  }

  #postfix(start: Expression): Expression {
    let value = start
    for (;;) {
      const { at } = this.#token
      if (this.takes(".")) {
        if (this.takes("*")) return { kind: "splat", at, of: value, keys: this.#accesses() }
        value = { kind: "index", at, of: value, key: this.#member() }
      } else if (this.takes("[")) {
        if (this.takes("*")) {
          this.expect("]")
          return { kind: "splat", at, of: value, keys: this.#accesses() }
        }
        value = { kind: "index", at, of: value, key: this.#bracketed("]", () => this.expression()) }
      } else return value
    }
  }

  #accesses(): Expression[] {
    const keys: Expression[] = []
    for (;;) {
      if (this.takes(".")) keys.push(this.#member())
      else if (this.takes("[")) keys.push(this.#bracketed("]", () => this.expression()))
      else return keys
    }
  }

  #member(): Expression {
    const { kind, text, at } = this.#token
    if (kind !== "name" && kind !== "number") throw this.#unexpected()
    this.#at++
    return { kind: "literal", at, value: kind === "number" ? Number(text) : text }
  }

  /** What stands up to the bracket that closes; lines end nothing there. */
  #bracketed<T>(closing: string, read: () => T): T {
    this.#open++
    this.skipLines()
    const value = read()
    this.skipLines()
    this.expect(closing)
    this.#open--
    return value
  }

  #primary(): Expression {
    const token = this.#token
    const { at, text } = token
    if (token.kind === "number") {
      this.#at++
      return { kind: "literal", at, value: Number(text) }
    }
    if (token.kind === "template") {
      this.#at++
      return templateOf(token.parts, at, this.#depth)
    }
    if (token.kind === "name") return this.#named()
    if (this.takes("(")) return this.#bracketed(")", () => this.expression())
    if (this.takes("[")) return this.#list(at)
    if (this.takes("{")) return this.#object(at)
    throw this.#unexpected()
  }

  #named(): Expression {
    const { at } = this.#token
    let name = this.name()
    if (name === "true" || name === "false") return { kind: "literal", at, value: name === "true" }
    if (name === "null") return { kind: "literal", at, value: null }
    // `provider::function` is not read; a colon alone belongs to a conditional
    if (!this.takes("(")) return { kind: "variable", at, name }
    let expands = false
    const args = this.#bracketed(")", () =>
      this.#items(")", () => {
        const value = this.expression()
        expands = this.takes("...")
        return value
      }),
    )
    return { kind: "call", at, name, args, expands }
  }

  #items<T>(closing: string, read: () => T): T[] {
    const items: T[] = []
    for (;;) {
      this.skipLines()
      if (this.#token.kind === "sign" && this.#token.text === closing) return items
      items.push(read())
      this.skipLines()
      if (!this.takes(",")) return items
    }
  }

  #list(at: number): Expression {
    return this.#bracketed("]", () => {
      if (this.#beginsFor()) return this.#for(at, false)
      return { kind: "list", at, items: this.#items("]", () => this.expression()) }
    })
  }

  #beginsFor(): boolean {
    const following = this.#tokens[this.#at + 1]
    return this.#token.kind === "name" && this.#token.text === "for" && following?.kind === "name" && this.takes("for")
  }

  #for(at: number, isObject: boolean): Expression & For {
    const head = this.forHead()
    this.skipLines()
    this.expect(":")
    this.skipLines()
    const first = this.expression()
    this.skipLines()
    const hasKey = isObject && this.takes("=>")
    if (isObject && !hasKey) throw this.#unexpected()
    if (hasKey) this.skipLines()
    const result = hasKey ? this.expression() : first
    const groups = this.takes("...")
    this.skipLines()
    const test = this.takes("if") ? this.expression() : undefined
    return { kind: "for", at, ...head, resultKey: hasKey ? first : undefined, result, test, groups, joins: false }
  }

  /** `KEY, VALUE in COLLECTION`. */
  forHead(): Pick<For, "key" | "value" | "of"> {
    const first = this.name()
    const second = this.takes(",") ? this.name() : undefined
    this.expect("in")
    const of = this.expression()
    return second === undefined ? { key: undefined, value: first, of } : { key: first, value: second, of }
  }

  #object(at: number): Expression {
    return this.#deeper(() => {
      this.#open++
      this.skipLines()
      if (this.#beginsFor()) {
        const made = this.#for(at, true)
        this.skipLines()
        this.expect("}")
        this.#open--
        return made
      }
      const open = this.#open
      const entries: [Expression, Expression][] = []
      while ((this.skipLines(), !this.takes("}"))) {
        // in an object, a line's end separates entries
        this.#open = 0
        const key = this.#key()
        if (!this.takes("=")) this.expect(":")
        this.skipLines()
        entries.push([key, this.expression()])
        this.#open = open
        if (!this.takes(",") && this.#token.kind !== "newline" && this.#token.text !== "}") throw this.#unexpected()
      }
      this.#open = open - 1
      return { kind: "object", at, entries }
    })
  }

  /** A bare name is itself, in parentheses a variable. */
  #key(): Expression {
    const { kind, text, at } = this.#token
    if (kind !== "name") return this.expression()
    this.#at++
    return { kind: "literal", at, value: text }
  }
}

/** A lone `${…}` keeps its value's type; all else is a text. */
function templateOf(parts: readonly TemplatePart[], at: number, depth: number): Expression {
  if (depth > MOST_DEPTH) throw new InvalidArgument("nested too deeply", { data: { at } })
  const reader = new TemplateReader(parts, depth + 1)
  const made = reader.until([])
  const [only] = made
  if (made.length === 0) return { kind: "literal", at, value: "" }
  if (made.length === 1 && only && (parts[0]?.kind === "expression" || only.kind === "literal")) return only
  return { kind: "template", at, parts: made }
}

/** Puts `%{ if }` and `%{ for }` together with what stands up to their ends. */
class TemplateReader {
  #at = 0
  #depth: number
  readonly #parts: readonly TemplatePart[]

  constructor(parts: readonly TemplatePart[], depth: number) {
    this.#parts = parts
    this.#depth = depth
  }

  /** Up to one of these directives, which stays to be taken. */
  until(ends: readonly string[]): Expression[] {
    const made: Expression[] = []
    for (; this.#at < this.#parts.length; this.#at++) {
      const part = this.#parts[this.#at]
      if (!part) break
      if (part.kind === "text") made.push({ kind: "literal", at: 0, value: part.text })
      else if (part.kind === "expression") made.push(new Parser(tokenize(part.text, part.at), this.#depth).whole())
      else if (ends.includes(part.text.trim())) return made
      else made.push(this.#directive(part))
    }
    if (ends.length > 0) throw new InvalidArgument(`%{ ${ends.at(-1)} } is missing`)
    return made
  }

  #directive({ text, at }: { text: string; at: number }): Expression {
    if (++this.#depth > MOST_DEPTH) throw new InvalidArgument("nested too deeply", { data: { at } })
    const parser = new Parser(tokenize(text, at), this.#depth)
    parser.skipLines()
    if (parser.takes("if")) return this.#if(parser.whole(), at)
    if (!parser.takes("for")) throw new InvalidArgument(`unknown directive "${text.trim()}"`, { data: { at } })
    const head = parser.forHead()
    this.#at++
    const result: Expression = { kind: "template", at, parts: this.until(["endfor"]) }
    this.#depth--
    return { kind: "for", at, ...head, resultKey: undefined, result, test: undefined, groups: false, joins: true }
  }

  #if(test: Expression, at: number): Expression {
    this.#at++
    const yes: Expression = { kind: "template", at, parts: this.until(["else", "endif"]) }
    const part = this.#parts[this.#at]
    const hasElse = part?.kind === "directive" && part.text.trim() === "else"
    if (hasElse) this.#at++
    const no: Expression = { kind: "template", at, parts: hasElse ? this.until(["endif"]) : [] }
    this.#depth--
    return { kind: "conditional", at, test, yes, no }
  }
}
