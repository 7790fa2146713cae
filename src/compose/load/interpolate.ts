import { fault } from "./fault.ts"
import { InvalidTemplate, references, RequiredVariable, substitute } from "./substitute.ts"
import { isMap, originIn, type Tree, type TreeMap, type TreePath } from "./tree.ts"
import type { Warn } from "./warn.ts"

/**
 * Puts values in place of the variables of all texts, not of keys, in place. A variable that is not set is warned of at each place.
 * Throws InvalidArgument where a text is no template, and where a required variable has no value.
 */
export function interpolate(tree: TreeMap, environment: Readonly<Record<string, string>>, warn: Warn): void {
  new Interpolation(environment, warn).within(tree, [])
}

class Interpolation {
  readonly #environment: Readonly<Record<string, string>>
  readonly #warn: Warn

  constructor(environment: Readonly<Record<string, string>>, warn: Warn) {
    this.#environment = environment
    this.#warn = warn
  }

  within(container: Tree[] | TreeMap, path: TreePath): void {
    for (const key of Array.isArray(container) ? container.keys() : Object.keys(container)) {
      const value = (container as TreeMap)[key] as Tree
      if (typeof value === "string") {
        if (value.includes("$")) (container as TreeMap)[key] = this.#text(value, container, [...path, key])
      } else if (Array.isArray(value) || isMap(value)) this.within(value, [...path, key])
    }
  }

  #text(template: string, container: Tree[] | TreeMap, path: TreePath): string {
    const key = path.at(-1) ?? ""
    const origin = originIn(container, key)
    try {
      return substitute(template, {
        get: (name) => (Object.hasOwn(this.#environment, name) ? this.#environment[name] : undefined),
        onUnset: (name) =>
          this.#warn({
            message: `The "${name}" variable is not set. Defaulting to a blank string.`,
            ...(origin && { origin }),
          }),
      })
    } catch (error) {
      const where = path.map((part) => (typeof part === "number" ? "[]" : part)).join(".")
      if (error instanceof RequiredVariable)
        throw fault(`error while interpolating ${where}: ${error.message}`, origin, { cause: error })
      if (!(error instanceof InvalidTemplate)) throw error
      const words = `invalid interpolation format for ${where}.\nYou may need to escape any $ with another $.\n${error.message}`
      throw fault(words, origin, { cause: error })
    }
  }
}

/** A variable that a model names. */
export interface ModelVariable {
  name: string
  required: boolean
  defaultValue: string
  /** Of `${V:+text}`. */
  presenceValue: string
}

/** Variables of a model that was not interpolated, by name; the last place that names one tells of it. */
export function variablesOf(tree: Tree): Map<string, ModelVariable> {
  const found = new Map<string, ModelVariable>()
  collect(tree, found)
  return found
}

function collect(tree: Tree, found: Map<string, ModelVariable>): void {
  if (Array.isArray(tree)) for (const item of tree) collect(item, found)
  else if (isMap(tree)) for (const value of Object.values(tree)) collect(value, found)
  else if (typeof tree === "string" && tree.includes("$"))
    for (const { name, operator, operand } of referencesIn(tree))
      found.set(name, {
        name,
        required: operator === "?",
        defaultValue: operator === "-" ? operand : "",
        presenceValue: operator === "+" ? operand : "",
      })
}

function referencesIn(text: string): ReturnType<typeof references> {
  try {
    return references(text)
  } catch (error) {
    if (error instanceof InvalidTemplate) return []
    throw error
  }
}

/** The same text with its dollars doubled, so that interpolating leaves it as it is. */
export function escapeDollars(text: string): string {
  return text.replaceAll("$", "$$$$")
}
