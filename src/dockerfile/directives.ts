import { InvalidArgument, Unsupported } from "../base/errors.ts"
import { atSource } from "./source-error.ts"
import type { CheckOptions, SourceFile } from "./dockerfile.ts"

/** `# escape=`, `# syntax=` and `# check=` of the first lines. */
export interface Directives {
  escape: "\\" | "`"
  syntax?: string
  check: CheckOptions
}

const KNOWN = new Set(["syntax", "escape", "check"])

/**
 * Reads the parser directives: `# name=value` comments at the very head. The first line that is none ends them; a later one
 * is only a comment. Throws InvalidArgument for a double or bad one, Unsupported for a front end that is not Docker's own.
 */
export function parseDirectives(file: SourceFile, lines: readonly string[]): Directives {
  const found = new Map<string, string>()
  const directives: Directives = { escape: "\\", check: { skip: [], experimental: [], error: false } }
  const first = lines[0]?.startsWith("#!") ? 1 : 0
  for (let index = first; index < lines.length; index++) {
    const [, name = "", value = ""] = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)$/.exec(lines[index]?.trim() ?? "") ?? []
    const key = name.toLowerCase()
    if (!KNOWN.has(key)) break
    atSource(file, { start: index + 1, end: index + 1 }, () => {
      if (found.has(key)) throw new InvalidArgument(`only one ${key} parser directive can be used`)
      found.set(key, value)
      if (key === "escape") directives.escape = parseEscape(value)
      else if (key === "check") directives.check = parseCheckOptions(value)
      else directives.syntax = checkSyntax(value)
    })
  }
  return directives
}

function parseEscape(value: string): "\\" | "`" {
  if (value === "\\" || value === "`") return value
  throw new InvalidArgument(`invalid escape token '${value}' does not match \` or \\`)
}

/**
 * Checks `# syntax=`: the language itself is what skiff speaks, of whatever version; a front end from a registry would be a
 * program of a stranger, and is never run. Throws Unsupported.
 */
export function checkSyntax(value: string): string {
  const image = value.split(/\s/, 1)[0] ?? ""
  // a mirror's copy and the old name say the same
  if (/(?:^|\/)docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(image)) return image
  throw new Unsupported(`the syntax "${image}" is a program from a registry, which skiff does not run`, {
    hint: "remove the # syntax line, or use docker/dockerfile:1",
  })
}

/** Parses what `# check=` says: `skip=RuleA,RuleB;error=true`. Throws InvalidArgument. */
export function parseCheckOptions(text: string): CheckOptions {
  const options: CheckOptions = { skip: [], experimental: [], error: false }
  for (const part of text.split(";").filter((piece) => piece.trim() !== "")) {
    const equals = part.indexOf("=")
    const key = part.slice(0, Math.max(equals, 0)).trim()
    const value = part.slice(equals + 1).trim()
    const names = value.split(",").map((name) => name.trim())
    if (key === "skip" || key === "experimental") options[key] = value === "all" ? "all" : names
    else if (key === "error") options.error = parseBoolean(value, part)
    else throw new InvalidArgument(`invalid check option "${key || part.trim()}"`)
  }
  return options
}

function parseBoolean(value: string, option: string): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true
  if (/^(?:0|f|false)$/i.test(value)) return false
  throw new InvalidArgument(`failed to parse check option "${option.trim()}"`, { hint: "expected true or false" })
}
