import { InvalidArgument } from "../base/errors.ts"
import { matchHead, type PatternToken } from "./pattern.ts"

// backtracking of an expression grows with the power of its stars: more than these take the linear matcher
const MAX_BACKTRACKING_STARS = 2

/**
 * Compiles a pattern of Docker's kind: Go's filepath.Match (`*`, `?`, `[a-z]`, `\`) with `**` for any number of directories.
 * It matches whole paths. Throws InvalidArgument.
 */
export function compileGlob(pattern: string): (path: string) => boolean {
  const tokens = parseGlob(pattern)
  const stars = tokens.filter(({ kind }) => kind === "star" || kind === "directories").length
  if (tokens.every(({ kind }) => kind === "char")) {
    const plain = tokens.map((token) => (token.kind === "char" ? token.char : "")).join("")
    return (path) => path === plain
  }
  if (stars > MAX_BACKTRACKING_STARS || tokens.some(({ kind }) => kind === "class"))
    return (path) => {
      const chars = Array.from(path)
      return matchHead(tokens, chars)?.longest === chars.length
    }
  const expression = new RegExp(`^${tokens.map(asExpression).join("")}$`, "su")
  return (path) => expression.test(path)
}

function asExpression(token: PatternToken): string {
  switch (token.kind) {
    case "char":
      return token.char.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&")
    case "any":
      return "[^/]"
    case "star":
      return token.except === "" ? ".*" : "[^/]*"
    case "directories":
      return "(?:.*/)?"
    default:
      return ""
  }
}

/** The parts of a glob. Throws InvalidArgument for an unclosed class and the like. */
function parseGlob(pattern: string): PatternToken[] {
  const fail = (why: string) => new InvalidArgument(`syntax error in pattern "${pattern}": ${why}`)
  const chars = Array.from(pattern)
  const tokens: PatternToken[] = []
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? ""
    if (char === "*" && chars[at + 1] === "*") {
      at++
      if (chars[at + 1] === "/") at++
      // a last `**` takes all that is left
      tokens.push(at + 1 === chars.length ? { kind: "star", except: "" } : { kind: "directories" })
    } else if (char === "*") tokens.push({ kind: "star", except: "/" })
    else if (char === "?") tokens.push({ kind: "any", except: "/" })
    else if (char === "[") {
      const [test, end] = parseClass(chars, at, fail)
      tokens.push({ kind: "class", test })
      at = end
    } else if (char === "\\") {
      const escaped = chars[++at]
      if (escaped === undefined) throw fail("a backslash at its end")
      tokens.push({ kind: "char", char: escaped })
    } else tokens.push({ kind: "char", char })
  }
  return tokens
}

/** `[abc]`, `[^a-z]`: gives the test and where its `]` stands. */
function parseClass(
  chars: readonly string[],
  start: number,
  fail: (why: string) => Error,
): [test: (char: string) => boolean, end: number] {
  const ranges: [low: string, high: string][] = []
  let at = start + 1
  const negated = chars[at] === "^"
  if (negated) at++
  const one = () => {
    if (chars[at] === "\\") at++
    const char = chars[at++]
    if (char === undefined) throw fail("a class without its ]")
    return char
  }
  while (chars[at] !== "]" || ranges.length === 0) {
    if (chars[at] === "]" || chars[at] === "-") throw fail("an empty class or range")
    const low = one()
    if (chars[at] !== "-") ranges.push([low, low])
    else {
      at++
      if (chars[at] === "]") throw fail("a range without its end")
      ranges.push([low, one()])
    }
  }
  const inRange = (char: string) => ranges.some(([low, high]) => low <= char && char <= high)
  return [(char) => char !== "/" && inRange(char) !== negated, at]
}
