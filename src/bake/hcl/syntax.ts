/** What parsing makes of HCL: a body of attributes and blocks, whose values are expressions. `at` is the place in the text. */

export interface Body {
  attributes: Map<string, Attribute>
  blocks: Block[]
}

export interface Attribute {
  at: number
  value: Expression
}

export interface Block {
  type: string
  labels: readonly string[]
  body: Body
  at: number
}

export type Expression = { at: number } & (
  | { kind: "literal"; value: string | number | boolean | null }
  | { kind: "template"; parts: readonly Expression[] }
  | { kind: "variable"; name: string }
  | { kind: "list"; items: readonly Expression[] }
  | { kind: "object"; entries: readonly (readonly [key: Expression, value: Expression])[] }
  | { kind: "call"; name: string; args: readonly Expression[]; expands: boolean }
  | { kind: "index"; of: Expression; key: Expression }
  | { kind: "splat"; of: Expression; keys: readonly Expression[] }
  | { kind: "unary"; operator: string; of: Expression }
  | { kind: "binary"; operator: string; left: Expression; right: Expression }
  | { kind: "conditional"; test: Expression; yes: Expression; no: Expression }
  | For
)

export interface For {
  kind: "for"
  /** Of the position or key; undefined: not named. */
  key: string | undefined
  value: string
  of: Expression
  /** Undefined: a list is made. */
  resultKey: Expression | undefined
  result: Expression
  test: Expression | undefined
  /** `...`: values of equal keys become a list. */
  groups: boolean
  /** `%{ for }`: the results are joined to a text. */
  joins: boolean
}
