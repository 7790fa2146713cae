import { InvalidArgument } from "../../base/errors.ts"

/** What an expression is worth. */
export type HclValue = string | number | boolean | null | readonly HclValue[] | HclObject

/** Without a prototype: its keys come from a file. */
export interface HclObject {
  readonly [key: string]: HclValue
}

/** What one file may cost: nobody's own bake file comes near it. */
const MOST_STEPS = 1_000_000
const MOST_LETTERS = 64 * 1024 ** 2

/** What evaluating has cost so far. */
export class Budget {
  #steps = 0
  #letters = 0

  /** Throws InvalidArgument when it is spent. */
  spend(steps: number, letters = 0): void {
    this.#steps += steps
    this.#letters += letters
    if (this.#steps > MOST_STEPS || this.#letters > MOST_LETTERS)
      throw new InvalidArgument("the bake file is too costly to evaluate", {
        hint: `at most ${MOST_STEPS} steps and ${MOST_LETTERS} characters`,
      })
  }
}

/** An object of a file's keys. */
export function objectOf(entries: Iterable<readonly [string, HclValue]>): HclObject {
  const made: Record<string, HclValue> = Object.create(null) as Record<string, HclValue>
  for (const [key, value] of entries) made[key] = value
  return made
}

export function isList(value: HclValue | undefined): value is readonly HclValue[] {
  return Array.isArray(value)
}

export function isObject(value: HclValue | undefined): value is HclObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The text of what has one: numbers and booleans are converted. Throws InvalidArgument. */
export function textOf(value: HclValue | undefined): string {
  if (typeof value === "string") return value
  if (typeof value === "number") return numberText(value)
  if (typeof value === "boolean") return String(value)
  throw new InvalidArgument(`string required, not ${kindOf(value)}`)
}

export function numberOf(value: HclValue | undefined): number {
  if (typeof value === "number") return value
  if (typeof value === "string" && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value)) return Number(value)
  throw new InvalidArgument(`a number is required, not ${kindOf(value)}`)
}

export function booleanOf(value: HclValue | undefined): boolean {
  if (typeof value === "boolean") return value
  if (value === "true" || value === "1") return true
  if (value === "false" || value === "0") return false
  throw new InvalidArgument(`a bool is required, not ${kindOf(value)}`)
}

/** Of an object, its values by the order of keys. */
export function itemsOf(value: HclValue | undefined): readonly HclValue[] {
  if (isList(value)) return value
  if (isObject(value)) return sortedEntries(value).map(([, one]) => one)
  throw new InvalidArgument(`a list is required, not ${kindOf(value)}`)
}

/** By key, as HCL goes through objects. */
export function sortedEntries(value: HclObject): [string, HclValue][] {
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Equal in type and value. */
export function isEqual(left: HclValue | undefined, right: HclValue | undefined): boolean {
  if (isList(left) && isList(right))
    return left.length === right.length && left.every((one, index) => isEqual(one, right[index]))
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(left)
    return (
      keys.length === Object.keys(right).length && keys.every((key) => key in right && isEqual(left[key], right[key]))
    )
  }
  return left === right
}

export function kindOf(value: HclValue | undefined): string {
  if (value === null || value === undefined) return "null"
  if (isList(value)) return "list"
  return typeof value === "boolean" ? "bool" : typeof value
}

/** Whole numbers without an exponent. */
function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? BigInt(value).toString() : String(value)
}
