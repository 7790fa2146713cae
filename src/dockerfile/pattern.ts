/**
 * Patterns with wildcards, matched in time linear in the text: a Dockerfile or an ignore file may come from a stranger, and
 * a backtracking expression of ten stars would never end.
 */

/** One part of a shell pattern as `${NAME#PATTERN}` takes it. */
export type PatternToken =
  | { kind: "char"; char: string }
  /** One character, not `except`. */
  | { kind: "any"; except: string }
  /** Any number of characters, none of them `except` (empty: all). */
  | { kind: "star"; except: string }
  | { kind: "class"; test: (char: string) => boolean }
  /** `**` with its slash: nothing, or anything that ends with a slash. */
  | { kind: "directories" }

/** Lengths at which `tokens` match the head of `text` from `start` on: the shortest and the longest; undefined for none. */
export function matchHead(
  tokens: readonly PatternToken[],
  text: readonly string[],
  start = 0,
): { shortest: number; longest: number } | undefined {
  const count = tokens.length
  let active = new Uint8Array(count + 1)
  let shortest: number | undefined
  let longest = 0
  enter(tokens, active, 0)
  for (let position = start; ; position++) {
    if (active[count] === 1) {
      shortest ??= position - start
      longest = position - start
    }
    const char = text[position]
    if (char === undefined) break
    const next = new Uint8Array(count + 1)
    let alive = false
    for (let state = 0; state < count; state++) {
      if (active[state] !== 1) continue
      alive = step(tokens, next, state, char) || alive
    }
    if (!alive) break
    active = next
  }
  return shortest === undefined ? undefined : { shortest, longest }
}

// `directories` keeps itself alive by every character, and lets the next token in after each slash
function step(tokens: readonly PatternToken[], next: Uint8Array, state: number, char: string): boolean {
  const token = tokens[state]
  switch (token?.kind) {
    case "char":
      return token.char === char && enter(tokens, next, state + 1)
    case "class":
      return token.test(char) && enter(tokens, next, state + 1)
    case "any":
      return char !== token.except && enter(tokens, next, state + 1)
    case "star":
      return char !== token.except && enter(tokens, next, state)
    case "directories":
      next[state] = 1
      if (char === "/") enter(tokens, next, state + 1)
      return true
    default:
      return false
  }
}

/** Makes a state active, and those that follow it without a character. */
function enter(tokens: readonly PatternToken[], active: Uint8Array, state: number): boolean {
  for (let at = state; ; at++) {
    active[at] = 1
    const kind = tokens[at]?.kind
    if (kind !== "star" && kind !== "directories") return true
  }
}
