import { InvalidArgument } from "../../base/errors.ts"

/** What stands behind a variable's name: `${V:-text}` and its like. */
type Operator = "-" | "?" | "+"

/** A variable in a text. */
interface Reference {
  name: string
  /** Absent of `$V` and `${V}`. */
  operator?: Operator
  /** `:-`, `:?`, `:+`: an empty value counts as none. */
  emptyIsUnset: boolean
  /** What follows the operator, not substituted. */
  operand: string
}

/** Where values come from, and who hears of a variable that has none. */
export interface Variables {
  get(name: string): string | undefined
  onUnset(name: string): void
}

/** `${` that is followed by no name, or not closed. */
export class InvalidTemplate extends Error {}

/** `${V:?message}` of a variable without a value. */
export class RequiredVariable extends Error {}

/** Each level is read once more by the one above: what nobody writes would take hours. */
const MAX_LEVELS = 50
/** Values of values of an env file multiply at each line. */
const MAX_TEXT = 8 << 20

const NAME = /[_a-zA-Z][_a-zA-Z0-9]*/y

/** The text with the values of its variables; `$$` is a dollar. Throws InvalidTemplate and RequiredVariable. */
export function substitute(template: string, variables: Variables): string {
  return substituted(template, variables, 0)
}

function substituted(template: string, variables: Variables, level: number): string {
  checkLevel(level)
  let text = ""
  for (const part of parts(template)) {
    text += typeof part === "string" ? part : valueOf(part, variables, level)
    if (text.length > Math.max(MAX_TEXT, template.length))
      throw new InvalidArgument(`a text with its variables has more than ${MAX_TEXT} characters`)
  }
  return text
}

function checkLevel(level: number): void {
  if (level > MAX_LEVELS) throw new InvalidArgument(`variables are nested more than ${MAX_LEVELS} levels deep`)
}

/** All variables of a text, those within defaults and messages too. */
export function references(template: string, level = 0): Reference[] {
  checkLevel(level)
  const found: Reference[] = []
  for (const part of parts(template)) {
    if (typeof part === "string") continue
    found.push(part)
    if (part.operand.includes("$")) found.push(...references(part.operand, level + 1))
  }
  return found
}

function valueOf({ name, operator, emptyIsUnset, operand }: Reference, variables: Variables, level: number): string {
  const value = variables.get(name)
  const isSet = value !== undefined && !(emptyIsUnset && value === "")
  switch (operator) {
    case "-":
      return isSet ? value : substituted(operand, variables, level + 1)
    case "+":
      return isSet ? substituted(operand, variables, level + 1) : ""
    case "?":
      if (isSet) return value
      throw new RequiredVariable(
        `required variable ${name} is missing a value${operand === "" ? "" : `: ${substituted(operand, variables, level + 1)}`}`,
      )
    case undefined:
      if (value === undefined) variables.onUnset(name)
      return value ?? ""
  }
}

function parts(template: string): (string | Reference)[] {
  const found: (string | Reference)[] = []
  let at = 0
  for (;;) {
    const dollar = template.indexOf("$", at)
    if (dollar === -1) break
    if (dollar > at) found.push(template.slice(at, dollar))
    const next = template[dollar + 1]
    if (next === "{") {
      const end = closingBrace(template, dollar)
      if (end === -1) throw new InvalidTemplate(template)
      found.push(braced(template, dollar + 2, end))
      at = end + 1
    } else {
      const name = nameAt(template, dollar + 1)
      if (name !== undefined) found.push({ name, emptyIsUnset: false, operand: "" })
      else found.push("$")
      at = dollar + 1 + (name?.length ?? (next === "$" ? 1 : 0))
    }
  }
  if (at < template.length) found.push(template.slice(at))
  return found
}

/** Of the `${` at `start`: each `${` within wants one of its own, a lone `{` does not. */
function closingBrace(template: string, start: number): number {
  let open = 0
  for (let at = start; at < template.length; at++) {
    if (template.startsWith("${", at)) open++
    else if (template[at] === "}" && --open === 0) return at
  }
  return -1
}

function nameAt(text: string, at: number): string | undefined {
  NAME.lastIndex = at
  return NAME.exec(text)?.[0]
}

function braced(template: string, start: number, end: number): Reference {
  const name = nameAt(template, start)
  if (name === undefined) throw new InvalidTemplate(template)
  const rest = template.slice(start + name.length, end)
  if (rest === "") return { name, emptyIsUnset: false, operand: "" }
  const emptyIsUnset = rest.startsWith(":")
  const operator = rest[emptyIsUnset ? 1 : 0]
  if (operator !== "-" && operator !== "?" && operator !== "+") throw new InvalidTemplate(template)
  return { name, operator, emptyIsUnset, operand: rest.slice(emptyIsUnset ? 2 : 1) }
}
