import type { Expression } from "../../base/linear-expression.ts"
import type { Severity } from "../scan.ts"

/** A kind of secret: looked for where one of its keywords stands, and in a bounded piece of text around that alone. */
export interface SecretRule {
  /** As Trivy names it, where it has the same. */
  id: string
  category: string
  title: string
  severity: Severity
  /** Lower case. One of them must be in the text; empty: every line is looked at. */
  keywords: readonly string[]
  /** Global; a user's is a linear expression. A group `secret` is what is hidden and told of; without it all of the match is. */
  pattern: Expression
  /** Characters that a match may have before its keyword, and from that on. */
  reach: { before: number; after: number }
  /** Only in files of such a path (relative to the root). */
  path?: Pick<Expression, "test">
  /** What it finds is none, where one of these fits. */
  allow?: readonly AllowRule[]
}

/** What is no secret: in a file of such a path, or where the match fits. */
export interface AllowRule {
  id: string
  path?: Pick<Expression, "test">
  pattern?: Pick<Expression, "test">
}

/** Where in a text a secret is. */
export interface FoundSecret {
  rule: SecretRule
  start: number
  end: number
}
