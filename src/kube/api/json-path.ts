import { at, isTree } from "../field.ts"

const MAX_RESULTS = 100_000

/** One step of a path. */
type Step =
  | { type: "key"; name: string }
  | { type: "all" }
  | { type: "deep" }
  | { type: "slice"; from: number | undefined; to: number | undefined; by: number }
  | { type: "keys"; names: readonly string[] }
  | { type: "indexes"; numbers: readonly number[] }
  | { type: "filter"; left: Operand; operator: string; right: Operand | undefined }

type Operand = { steps: readonly Step[] } | { value: unknown }

/** A template is pieces of text, of paths, and of loops over paths. */
type Piece =
  | { type: "text"; text: string }
  | { type: "path"; steps: readonly Step[] }
  | { type: "range"; steps: readonly Step[]; body: readonly Piece[] }

/** What is wrong with a template, in kubectl's words. */
export class JsonPathError extends Error {}

/**
 * kubectl's JSONPath templates (client-go, util/jsonpath): `{.items[*].metadata.name}`, `{range …}…{end}`, filters, slices, `..`, quoted texts. Values print as
 * texts, numbers, or JSON. Throws JsonPathError.
 */
export function jsonPathText(template: string, value: unknown, allowMissing = true): string {
  const parser = new Parser(template)
  return write(parser.pieces(false), value, value, allowMissing)
}

/** The values of one path, with or without its braces: `.spec.replicas`. */
export function jsonPathValues(path: string, value: unknown): unknown[] {
  const text = path.startsWith("{")
    ? path
    : `{${path.startsWith(".") || path.startsWith("[") || path.startsWith("$") ? "" : "."}${path}}`
  const [piece] = new Parser(text).pieces(false)
  return piece?.type === "path" ? walk(piece.steps, [value], value, true) : []
}

/** The first of them. */
export function jsonPathValue(value: unknown, path: string): unknown {
  try {
    return jsonPathValues(path, value)[0]
  } catch (error) {
    if (error instanceof JsonPathError) return undefined
    throw error
  }
}

function write(pieces: readonly Piece[], value: unknown, root: unknown, allowMissing: boolean): string {
  return pieces
    .map((piece) => {
      if (piece.type === "text") return piece.text
      const found = walk(piece.steps, [value], root, allowMissing)
      if (piece.type === "path") return found.map(shown).join(" ")
      return found.map((one) => write(piece.body, one, root, allowMissing)).join("")
    })
    .join("")
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return ""
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

function walk(steps: readonly Step[], from: unknown[], root: unknown, allowMissing: boolean): unknown[] {
  let found = from
  for (const step of steps) {
    found = found.flatMap((value) => take(step, value, root, allowMissing))
    if (found.length > MAX_RESULTS) throw new JsonPathError(`the path has more than ${MAX_RESULTS} results`)
  }
  return found
}

function take(step: Step, value: unknown, root: unknown, allowMissing: boolean): unknown[] {
  switch (step.type) {
    case "key": {
      const found = Array.isArray(value) ? undefined : at(value, step.name)
      if (found === undefined && !allowMissing) throw new JsonPathError(`${step.name} is not found`)
      return found === undefined ? [] : [found]
    }
    case "keys":
      return step.names.flatMap((name) => {
        const found = at(value, name)
        return found === undefined ? [] : [found]
      })
    case "all":
      return Array.isArray(value) ? value : isTree(value) ? Object.values(value) : []
    case "deep":
      return [...descendants(value)]
    case "slice": {
      if (!Array.isArray(value)) return []
      const { length } = value
      const from = bound(step.from ?? 0, length)
      const to = Math.min(bound(step.to ?? length, length), length)
      return value.slice(from, to).filter((_, index) => index % step.by === 0)
    }
    case "indexes":
      return Array.isArray(value) ? step.numbers.flatMap((one) => element(value, one, allowMissing)) : []
    case "filter":
      return (Array.isArray(value) ? value : []).filter((item) => holds(step, item, root))
    default:
      return []
  }
}

function element(list: readonly unknown[], index: number, allowMissing: boolean): unknown[] {
  const place = index < 0 ? list.length + index : index
  if (place >= 0 && place < list.length) return [list[place]]
  if (allowMissing) return []
  throw new JsonPathError(`array index out of bounds: index ${index}, length ${list.length}`)
}

function bound(index: number, length: number): number {
  return index < 0 ? Math.max(0, length + index) : index
}

function* descendants(value: unknown, depth = 0): Generator<unknown> {
  yield value
  if (typeof value !== "object" || value === null || depth > 200) return
  for (const one of Object.values(value)) yield* descendants(one, depth + 1)
}

function holds({ left, operator, right }: Step & { type: "filter" }, item: unknown, root: unknown): boolean {
  const read = (operand: Operand): unknown =>
    "value" in operand ? operand.value : walk(operand.steps, [item], root, true)[0]
  const one = read(left)
  if (right === undefined) return one !== undefined
  const other = read(right)
  if (one === undefined) return false
  switch (operator) {
    case "==":
      return one === other
    case "!=":
      return one !== other
    case "<":
      return Number(one) < Number(other)
    case ">":
      return Number(one) > Number(other)
    case "<=":
      return Number(one) <= Number(other)
    default:
      return Number(one) >= Number(other)
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

const MAX_TEMPLATE = 100_000
const NAME = /(?:\\.|[^\s.[\]{}(),'"|=<>!?@$*\\])+/y

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    if (text.length > MAX_TEMPLATE) throw new JsonPathError("the template is too long")
    this.#text = text
  }

  pieces(inRange: boolean): Piece[] {
    const found: Piece[] = []
    while (this.#at < this.#text.length) {
      const open = this.#text.indexOf("{", this.#at)
      if (open === -1) {
        found.push({ type: "text", text: this.#text.slice(this.#at) })
        this.#at = this.#text.length
        break
      }
      if (open > this.#at) found.push({ type: "text", text: this.#text.slice(this.#at, open) })
      this.#at = open + 1
      this.#skipSpaces()
      if (this.#word("end")) {
        this.#close()
        if (!inRange) throw new JsonPathError("not in range, nothing to end")
        return found
      }
      if (this.#word("range")) {
        this.#skipSpaces()
        const steps = this.#path()
        this.#close()
        found.push({ type: "range", steps, body: this.pieces(true) })
        continue
      }
      found.push(...this.#action())
    }
    if (inRange) throw new JsonPathError("unterminated range")
    return found
  }

  /** Paths and quoted texts, up to the brace. */
  #action(): Piece[] {
    const found: Piece[] = []
    for (;;) {
      this.#skipSpaces()
      const next = this.#text[this.#at]
      if (next === "}") {
        this.#at++
        return found
      }
      if (next === undefined) throw new JsonPathError("unclosed action")
      if (next === '"' || next === "'") found.push({ type: "text", text: this.#quoted() })
      else found.push({ type: "path", steps: this.#path() })
    }
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at) || /[\w.]/.test(this.#text[this.#at + word.length] ?? "")) return false
    this.#at += word.length
    return true
  }

  #close(): void {
    this.#skipSpaces()
    if (this.#text[this.#at] !== "}") throw new JsonPathError("unclosed action")
    this.#at++
  }

  #skipSpaces(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++
  }

  #path(): Step[] {
    const steps: Step[] = []
    const start = this.#at
    if (this.#text[this.#at] === "$" || this.#text[this.#at] === "@") this.#at++
    for (;;) {
      const next = this.#text[this.#at]
      if (next === ".") {
        this.#at++
        if (this.#text[this.#at] === ".") {
          this.#at++
          steps.push({ type: "deep" })
        }
        if (this.#text[this.#at] === "[") continue
        if (this.#text[this.#at] === "*") {
          this.#at++
          steps.push({ type: "all" })
          continue
        }
        const name = this.#name()
        if (name !== "") steps.push({ type: "key", name })
      } else if (next === "[") steps.push(this.#brackets())
      else if (this.#at === start) {
        const name = this.#name()
        if (name === "") throw new JsonPathError(`unrecognized character in action: ${JSON.stringify(next ?? "")}`)
        steps.push({ type: "key", name })
      } else return steps
    }
  }

  #name(): string {
    NAME.lastIndex = this.#at
    const found = NAME.exec(this.#text)?.[0] ?? ""
    this.#at += found.length
    return found.replaceAll(/\\(.)/g, "$1")
  }

  #quoted(): string {
    const quote = this.#text[this.#at] ?? ""
    let text = ""
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const letter = this.#text[this.#at] ?? ""
      if (letter === quote) {
        this.#at++
        return text
      }
      if (letter !== "\\") {
        text += letter
        continue
      }
      this.#at++
      const escaped = this.#text[this.#at] ?? ""
      text += { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"' }[escaped] ?? `\\${escaped}`
    }
    throw new JsonPathError("unterminated quoted string")
  }

  #brackets(): Step {
    this.#at++
    this.#skipSpaces()
    if (this.#text[this.#at] === "?") return this.#filter()
    if (this.#text[this.#at] === "*") {
      this.#at++
      this.#end()
      return { type: "all" }
    }
    if (this.#text[this.#at] === "'" || this.#text[this.#at] === '"') {
      const names = [this.#quoted()]
      for (this.#skipSpaces(); this.#text[this.#at] === ","; this.#skipSpaces()) {
        this.#at++
        this.#skipSpaces()
        names.push(this.#quoted())
      }
      this.#end()
      return { type: "keys", names }
    }
    const close = this.#text.indexOf("]", this.#at)
    const inside = close === -1 ? "" : this.#text.slice(this.#at, close).trim()
    if (close === -1) throw new JsonPathError("unterminated array")
    this.#at = close + 1
    if (inside === "") return { type: "all" }
    const slice = /^(-?\d{1,9})?:(-?\d{1,9})?(?::(\d{1,9}))?$/.exec(inside)
    if (slice) {
      return {
        type: "slice",
        from: numberOf(slice[1]),
        to: numberOf(slice[2]),
        by: Math.max(1, numberOf(slice[3]) ?? 1),
      }
    }
    const numbers = inside.split(",").map((one) => one.trim())
    if (!numbers.every((one) => /^-?\d{1,9}$/.test(one))) throw new JsonPathError(`invalid array index ${inside}`)
    return { type: "indexes", numbers: numbers.map(Number) }
  }

  #end(): void {
    this.#skipSpaces()
    if (this.#text[this.#at] !== "]") throw new JsonPathError("unterminated array")
    this.#at++
  }

  #filter(): Step {
    this.#at++
    if (this.#text[this.#at] !== "(") throw new JsonPathError("a filter is written [?(…)]")
    this.#at++
    this.#skipSpaces()
    const left = this.#operand()
    this.#skipSpaces()
    const operator = /^(?:==|!=|<=|>=|<|>)/.exec(this.#text.slice(this.#at, this.#at + 2))?.[0]
    let right: Operand | undefined
    if (operator !== undefined) {
      this.#at += operator.length
      this.#skipSpaces()
      right = this.#operand()
      this.#skipSpaces()
    }
    if (this.#text[this.#at] !== ")") throw new JsonPathError("unterminated filter")
    this.#at++
    this.#end()
    return { type: "filter", left, operator: operator ?? "exists", right }
  }

  #operand(): Operand {
    const next = this.#text[this.#at] ?? ""
    if (next === '"' || next === "'") return { value: this.#quoted() }
    const literal = /^(?:true|false|-?\d+(?:\.\d+)?)(?![\w.])/.exec(this.#text.slice(this.#at, this.#at + 40))?.[0]
    if (literal === undefined) return { steps: this.#path() }
    this.#at += literal.length
    return { value: JSON.parse(literal) as unknown }
  }
}
