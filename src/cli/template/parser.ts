import { lex, type Segment, type Token } from "./lexer.ts"
import { templateError } from "./template-error.ts"

/** What an action computes: each stage's value is the last argument of the next. */
export interface Pipeline {
  stages: Operand[][]
}

/** A value in a pipeline. */
export type Operand =
  | { kind: "literal"; value: unknown }
  | { kind: "function"; name: string; at: number }
  /** `.A.B`, `$x.A`, `(…).A`: a base, then fields. */
  | { kind: "path"; base: "dot" | { variable: string } | Pipeline; fields: Field[]; at: number }

/** A name after a point, and where it stands in the template. */
export interface Field {
  name: string
  at: number
}

/** A piece of a template. */
export type Node =
  | { kind: "text"; text: string }
  | { kind: "print"; pipeline: Pipeline; at: number }
  | { kind: "set"; names: string[]; declares: boolean; pipeline: Pipeline; at: number }
  | { kind: "if" | "with"; pipeline: Pipeline; names: string[]; body: Node[]; otherwise: Node[] }
  | { kind: "range"; pipeline: Pipeline; names: string[]; body: Node[]; otherwise: Node[]; at: number }
  | { kind: "break" | "continue" }

/** A parsed template (Go's text/template, as far as docker's users need it). */
export interface Template {
  source: string
  nodes: Node[]
}

/** Parses Go's text/template as docker's `--format` uses it. Throws InvalidArgument with the position. */
export function parseTemplate(source: string): Template {
  const parser = new Parser(source, lex(source))
  return { source, nodes: parser.all() }
}

const MAX_DEPTH = 100

class Parser {
  readonly #source: string
  readonly #segments: Segment[]
  #next = 0
  #tokens: Token[] = []
  #token = 0
  #actionAt = 0
  #depth = 0

  constructor(source: string, segments: Segment[]) {
    this.#source = source
    this.#segments = segments
  }

  all(): Node[] {
    const { nodes, ended } = this.#list()
    if (ended) throw this.#fail(`unexpected {{${ended}}}`, this.#actionAt)
    return nodes
  }

  /** Nodes up to `end`, `else`, or the end of the template; tells which. */
  #list(): { nodes: Node[]; ended: "end" | "else" | undefined } {
    const nodes: Node[] = []
    while (this.#next < this.#segments.length) {
      const segment = this.#segments[this.#next++]
      if (!segment) break
      if (segment.kind === "text") {
        nodes.push(segment)
        continue
      }
      ;[this.#tokens, this.#token, this.#actionAt] = [segment.tokens, 0, segment.at]
      const word = this.#peek()?.kind === "identifier" ? this.#peek()?.text : undefined
      if (word === "end" || word === "else") {
        this.#token++
        return { nodes, ended: word }
      }
      nodes.push(this.#action(word))
    }
    return { nodes, ended: undefined }
  }

  #action(word: string | undefined): Node {
    const at = this.#actionAt
    if (word === "if" || word === "with" || word === "range") {
      this.#token++
      return this.#block(word, at)
    }
    if (word === "break" || word === "continue") {
      this.#token++
      this.#done()
      return { kind: word }
    }
    if (word === "define" || word === "template" || word === "block")
      throw this.#fail(`{{${word}}} is not supported`, at)
    const { names, declares } = this.#targets()
    const pipeline = this.#pipeline()
    this.#done()
    return names.length > 0 ? { kind: "set", names, declares, pipeline, at } : { kind: "print", pipeline, at }
  }

  #block(kind: "if" | "with" | "range", at: number): Node {
    if (++this.#depth > MAX_DEPTH) throw this.#fail("too many blocks inside each other", at)
    const { names } = this.#targets()
    const pipeline = this.#pipeline()
    this.#done()
    const { nodes: body, ended } = this.#list()
    const otherwise = ended === "else" ? this.#else(kind, at) : []
    if (ended === undefined) throw this.#fail(`unexpected end of template: {{${kind}}} without {{end}}`, at)
    this.#depth--
    return { kind, pipeline, names, body, otherwise, at }
  }

  /** After `else`: the rest up to `end`; `{{else if x}}` is a block of its own that takes the same `end`. */
  #else(kind: "if" | "with" | "range", at: number): Node[] {
    const word = this.#peek()?.text
    if (word === "if" || (word === "with" && kind === "with")) {
      this.#token++
      return [this.#block(word, this.#actionAt)]
    }
    this.#done()
    const { nodes, ended } = this.#list()
    if (ended !== "end") throw this.#fail(`unexpected end of template: {{${kind}}} without {{end}}`, at)
    return nodes
  }

  /** `$x :=`, `$i, $x :=`, `$x =`. */
  #targets(): { names: string[]; declares: boolean } {
    const [first, second, third, fourth] = this.#tokens.slice(this.#token)
    if (first?.kind !== "variable") return { names: [], declares: false }
    if (second?.text === ":=" || second?.text === "=") {
      this.#token += 2
      return { names: [first.text], declares: second.text === ":=" }
    }
    if (second?.text === "," && third?.kind === "variable" && fourth?.text === ":=") {
      this.#token += 4
      return { names: [first.text, third.text], declares: true }
    }
    return { names: [], declares: false }
  }

  #pipeline(): Pipeline {
    const stages = [this.#command()]
    while (this.#peek()?.text === "|" && this.#peek()?.kind === "symbol") {
      this.#token++
      stages.push(this.#command())
    }
    return { stages }
  }

  #command(): Operand[] {
    const operands: Operand[] = []
    for (;;) {
      const token = this.#peek()
      if (!token || (token.kind === "symbol" && token.text !== "(")) break
      operands.push(this.#operand(token))
    }
    if (operands.length === 0) throw this.#fail("missing value for command", this.#peek()?.at ?? this.#actionAt)
    return operands
  }

  #operand(token: Token): Operand {
    this.#token++
    const { text, at } = token
    switch (token.kind) {
      case "string":
        return { kind: "literal", value: this.#unquote(token) }
      case "number":
        return { kind: "literal", value: Number(text) }
      case "identifier":
        if (text === "true" || text === "false") return { kind: "literal", value: text === "true" }
        return text === "nil" ? { kind: "literal", value: undefined } : { kind: "function", name: text, at }
      case "dot":
        return { kind: "path", base: "dot", fields: [], at }
      case "field":
        return { kind: "path", base: "dot", fields: [{ name: text.slice(1), at }, ...this.#fields()], at }
      case "variable":
        return { kind: "path", base: { variable: text }, fields: this.#fields(), at }
      case "symbol": {
        if (++this.#depth > MAX_DEPTH) throw this.#fail("too many parentheses", at)
        const base = this.#pipeline()
        if (this.#peek()?.text !== ")") throw this.#fail("unclosed left paren", at)
        this.#token++
        this.#depth--
        return { kind: "path", base, fields: this.#fields(), at }
      }
    }
  }

  #fields(): Field[] {
    const fields: Field[] = []
    for (let token = this.#peek(); token?.kind === "field" && !token.spaced; token = this.#peek()) {
      fields.push({ name: token.text.slice(1), at: token.at })
      this.#token++
    }
    return fields
  }

  #unquote({ text, at }: Token): string {
    if (text.startsWith("`")) return text.slice(1, -1)
    try {
      return JSON.parse(
        // pairs, so that the second half of `\\` begins none
        text.replace(/\\(.)/g, (pair, letter: string) =>
          /["\\/bfnrtu]/.test(letter) ? pair : (GO_ESCAPES[letter] ?? "\\!"),
        ),
      ) as string
    } catch {
      throw this.#fail(`bad string ${text}`, at)
    }
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#token]
  }

  #done(): void {
    const token = this.#peek()
    if (token) throw this.#fail(`unexpected "${token.text}" in command`, token.at)
  }

  #fail(why: string, at: number) {
    return templateError(this.#source, at, why)
  }
}

const GO_ESCAPES: Record<string, string> = { a: "\\u0007", v: "\\u000b", "'": "'" }
