import { BUILTIN_ALLOW_RULES, BUILTIN_RULES } from "./builtin-rules.ts"
import type { AllowRule, FoundSecret, SecretRule } from "./secret-rule.ts"

/** More of one kind in one text are as good as that many. */
const MAX_PLACES = 2_000
/** A line without keyword is looked at so far. */
const MAX_LINE = 4_096

/** A text that secrets are looked for in, and what it is called. */
export interface SecretText {
  text: string
  /** Relative to the root; empty of what is in no file. */
  path: string
}

/** Which rules there are, and what they do not count. */
export interface SecretRules {
  rules: readonly SecretRule[]
  allow: readonly AllowRule[]
}

/** The rules there are without a file. */
export const BUILTIN: SecretRules = { rules: BUILTIN_RULES, allow: BUILTIN_ALLOW_RULES }

/**
 * The secrets in a text, by their places. Each rule looks at a bounded piece of text around each of its keywords, at most 2,000 of them,
 * so that the time grows with the text alone. Throws the signal's reason.
 */
export function findSecrets(
  { text, path }: SecretText,
  { rules, allow }: SecretRules,
  signal?: AbortSignal,
): FoundSecret[] {
  const lower = text.toLowerCase()
  const found: FoundSecret[] = []
  for (const rule of rules) {
    signal?.throwIfAborted()
    if (rule.path !== undefined && !rule.path.test(path)) continue
    const starts = new Set<number>()
    for (const { start, end, match } of matchesOf(rule, text, lower)) {
      if (isAllowed(match, path, allow) || isAllowed(match, path, rule.allow ?? [])) continue
      if (!starts.has(start)) found.push({ rule, start, end })
      starts.add(start)
    }
  }
  return found.toSorted((a, b) => a.start - b.start || a.rule.id.localeCompare(b.rule.id))
}

function isAllowed(match: string, path: string, rules: readonly AllowRule[]): boolean {
  return rules.some(({ pattern, path: paths }) => (paths?.test(path) ?? false) || (pattern?.test(match) ?? false))
}

/** Whether nothing in a file of this path would count. */
export function isAllowedPath(path: string, rules: readonly AllowRule[]): boolean {
  return rules.some(({ path: paths }) => paths?.test(path) ?? false)
}

interface Match {
  start: number
  end: number
  match: string
}

function* matchesOf(rule: SecretRule, text: string, lower: string): Generator<Match> {
  let done = 0
  let count = 0
  for (const [from, to] of windowsOf(rule, text, lower)) {
    if (++count > MAX_PLACES) return
    const piece = text.slice(Math.max(from, done), to)
    const offset = Math.max(from, done)
    rule.pattern.lastIndex = 0
    for (let match = rule.pattern.exec(piece); match !== null; match = rule.pattern.exec(piece)) {
      const all = match[0]
      if (all === "") break
      const secret = match.groups?.secret ?? all
      const start = offset + match.index + all.lastIndexOf(secret)
      yield { start, end: start + secret.length, match: all }
      done = Math.max(done, offset + match.index + all.length)
    }
  }
}

function* windowsOf(
  { keywords, reach }: SecretRule,
  text: string,
  lower: string,
): Generator<[from: number, to: number]> {
  if (keywords.length === 0) return yield* lineWindows(text)
  for (const keyword of keywords)
    for (let at = lower.indexOf(keyword); at >= 0; at = lower.indexOf(keyword, at + keyword.length))
      yield [Math.max(0, at - reach.before), at + reach.after]
}

function* lineWindows(text: string): Generator<[from: number, to: number]> {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start)
    const end = Math.min(newline < 0 ? text.length : newline, start + MAX_LINE)
    yield [start, end]
    start = end + 1
  }
}
