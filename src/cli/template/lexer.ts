import { templateError } from "./template-error.ts"

/** A word of an action; `at` is its offset in the template. */
export interface Token {
  kind: "field" | "variable" | "identifier" | "string" | "number" | "symbol" | "dot"
  text: string
  at: number
  /** White space stood before it: tells `.A .B` from `.A.B`. */
  spaced: boolean
}

/** Literal text, or the tokens of one `{{…}}`. */
export type Segment = { kind: "text"; text: string } | { kind: "action"; tokens: Token[]; at: number }

const TOKEN =
  /(?<space>\s+)|(?<field>\.[A-Za-z_]\w*)|(?<variable>\$\w*)|(?<number>[+-]?\d+(?:\.\d+)?)|(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<identifier>[A-Za-z_]\w*)|(?<symbol>:=|[()|,=])|(?<dot>\.)/y

/** Cuts a template into text and actions; `{{-` and `-}}` trim the text beside them. */
export function lex(template: string): Segment[] {
  const segments: Segment[] = []
  let trimNext = false
  const addText = (raw: string, trimEnd: boolean) => {
    const left = trimNext ? raw.trimStart() : raw
    const text = trimEnd ? left.trimEnd() : left
    if (text !== "") segments.push({ kind: "text", text })
  }
  let at = 0
  for (;;) {
    const open = template.indexOf("{{", at)
    if (open < 0) break
    const trims = /^\{\{-\s/.test(template.slice(open, open + 4))
    addText(template.slice(at, open), trims)
    const action = lexAction(template, open, open + (trims ? 3 : 2))
    if (action.tokens.length > 0) segments.push({ kind: "action", tokens: action.tokens, at: open })
    else if (!action.comment) throw templateError(template, open, "missing value for command")
    trimNext = action.trims
    at = action.end
  }
  addText(template.slice(at), false)
  return segments
}

interface LexedAction {
  tokens: Token[]
  end: number
  trims: boolean
  comment: boolean
}

function lexAction(template: string, open: number, start: number): LexedAction {
  const comment = /^\s*\/\*[\s\S]*?\*\/\s*?(\s-)?\}\}/.exec(template.slice(start))
  if (comment) return { tokens: [], end: start + comment[0].length, trims: comment[1] !== undefined, comment: true }
  const tokens: Token[] = []
  let spaced = true
  for (let at = start; at < template.length;) {
    const end = /^(\s-)?\}\}/.exec(template.slice(at, at + 4))
    if (end) return { tokens, end: at + end[0].length, trims: end[1] !== undefined, comment: false }
    TOKEN.lastIndex = at
    const match = TOKEN.exec(template)
    const [kind, text] = Object.entries(match?.groups ?? {}).find(([, value]) => value !== undefined) ?? []
    if (kind === undefined || text === undefined) throw templateError(template, at, describeBad(template[at] ?? ""))
    if (kind !== "space") tokens.push({ kind: kind as Token["kind"], text, at, spaced })
    spaced = kind === "space"
    at += text.length
  }
  throw templateError(template, open, "unclosed action")
}

function describeBad(character: string): string {
  return character === '"' || character === "`" ? "unterminated quoted string" : `unexpected "${character}" in command`
}
