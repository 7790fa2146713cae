import { isTerminal } from "../../sys/terminal/terminal.ts"

/** Errors (ECMA-48, SGR 31). */
export const RED = 31
/** Warnings (SGR 33). */
export const YELLOW = 33
/** Hints (SGR 36). */
export const CYAN = 36

/**
 * Whether text on descriptor `fd` may hold colours: on a terminal, elsewhere by CLICOLOR_FORCE alone. NO_COLOR comes first
 * (no-color.org: any value but the empty one says no).
 */
export function hasColour(
  fd: 1 | 2,
  env: Record<string, string | undefined> = process.env,
  terminal: (fd: number) => boolean = isTerminal,
): boolean {
  if (env.NO_COLOR) return false
  if (env.CLICOLOR_FORCE && env.CLICOLOR_FORCE !== "0") return true
  return env.CLICOLOR !== "0" && env.TERM !== "dumb" && terminal(fd)
}

/** `text` in a colour (an SGR number) where `fd` has them. What comes from outside is made harmless before. */
export function coloured(fd: 1 | 2, colour: number, text: string): string {
  return hasColour(fd) ? `\x1b[${colour}m${text}\x1b[0m` : text
}
