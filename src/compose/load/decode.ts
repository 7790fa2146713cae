import type { Extensions, Project } from "../project.ts"
import { place } from "./copy-tree.ts"
import { InvalidArgument } from "../../base/errors.ts"
import { decodeScalar } from "./decode-scalar.ts"
import { decodeHosts, decodePairs, decodeTextLists, decodeTexts } from "./decode-list.ts"
import { fault } from "./fault.ts"
import type { Key } from "./keys.ts"
import { project } from "./keys/project-keys.ts"
import { shellWords } from "./shell-words.ts"
import { copyOrigin, isMap, originAt, type Origin, type Tree, type TreeMap, type TreePath } from "./tree.ts"
import { keyBelow } from "./walk.ts"

/** What of a project its files say. */
export type DecodedProject = Pick<Project, "services" | "networks" | "volumes" | "secrets" | "configs" | "models"> &
  Extensions

/** What went wrong, and where. */
interface Failure {
  path: TreePath
  message: string
  origin: Origin | undefined
}

/** The model as types: units made one, keys in the order in which they are written. Throws InvalidArgument with all that is wrong. */
export function decodeProject(tree: TreeMap): DecodedProject {
  const failures: Failure[] = []
  const decoder = new Decoder((path, message) => failures.push({ path, message, origin: originAt(tree, path) }))
  const decoded = decoder.struct(tree, project, [])
  if (failures.length > 0) throw refuse(failures)
  const { services = {}, networks = {}, volumes = {}, secrets = {}, configs = {}, models = {} } = decoded
  const extensions = Object.entries(decoded).filter(([key]) => key.startsWith("x-"))
  // safe: the table gives each key the type that the model says
  return {
    services,
    networks,
    volumes,
    secrets,
    configs,
    models,
    ...Object.fromEntries(extensions),
  } as unknown as DecodedProject
}

function refuse(failures: readonly Failure[]): Error {
  const lines = failures.map(({ path, message }) => `'${inBrackets(path)}' ${message}`).toSorted()
  return fault(`decoding failed due to the following error(s):\n\n${lines.join("\n")}`, failures[0]?.origin)
}

/** As the library that docker uses names places: `services[a].ports[0].target`. */
function inBrackets(path: TreePath): string {
  let key: Key | undefined = project
  let text = ""
  for (const step of path) {
    const isItem: boolean = typeof step === "number" || key?.keys === undefined
    text += isItem ? `[${step}]` : text === "" ? step : `.${step}`
    key = typeof step === "number" ? key?.items : key && keyBelow(key, step)
  }
  return text
}

class Decoder {
  readonly #fail: (path: TreePath, message: string) => void

  constructor(fail: (path: TreePath, message: string) => void) {
    this.#fail = fail
  }

  /** Undefined: not to be written. */
  value(value: Tree, key: Key, path: TreePath): unknown {
    try {
      return this.#decode(value, key, path)
    } catch (error) {
      if (!(error instanceof InvalidArgument)) throw error
      this.#fail(path, error.message)
      return undefined
    }
  }

  #decode(value: Tree, key: Key, path: TreePath): unknown {
    switch (key.type) {
      case "any":
        return value
      case "envFile":
      case "struct":
        return value === null ? undefined : this.struct(value, key, path)
      case "map":
        return filled(this.#map(value, key, path), key)
      case "list":
        return filled(this.#list(value, key, path), key)
      case "texts":
        return filled(decodeTexts(value), key)
      case "words":
        return words(value)
      case "healthTest":
        return filled(healthTest(value), key)
      case "mapping":
        return filled(decodePairs(value, null), key)
      case "pairs":
        return filled(decodePairs(value, ""), key)
      case "textLists":
        return filled(decodeTextLists(value), key)
      case "hosts":
        return filled(decodeHosts(value), key)
      case "ssh":
        return filled(sshKeys(value), key)
      case "ulimit":
        return isMap(value) ? this.#ulimit(value, key, path) : this.#oneLimit(value, key)
      default:
        return decodeScalar(value, key)
    }
  }

  struct(value: Tree, key: Key, path: TreePath): Record<string, unknown> {
    const decoded: Record<string, unknown> = {}
    if (!isMap(value)) return decoded
    for (const [name, below] of Object.entries(key.keys ?? {})) {
      if (!Object.hasOwn(value, name) || below.isDropped === true) continue
      const one = this.value(value[name] ?? null, below, [...path, name])
      if (one === undefined || isEmptyPart(one, below)) continue
      decoded[name] = one
      copyOrigin(value, name, decoded as TreeMap)
    }
    if (key.isExtensible === true && key.dropsExtensions !== true)
      for (const name of Object.keys(value).filter((one) => one.startsWith("x-"))) decoded[name] = value[name]
    return decoded
  }

  #map(value: Tree, key: Key, path: TreePath): Record<string, unknown> {
    const decoded: TreeMap = {}
    if (!isMap(value)) return decoded
    for (const [name, one] of Object.entries(value)) {
      const below = keyBelow(key, name)
      if (name.startsWith("x-") && below === undefined) continue
      const item = below ? this.value(one, below, [...path, name]) : one
      // safe: what decoding gives is plain data
      place(decoded, name, (item ?? (one === null ? emptyOf(below) : null)) as Tree, value)
    }
    return decoded
  }

  #list(value: Tree, key: Key, path: TreePath): unknown[] {
    if (!Array.isArray(value) || !key.items) return []
    const { items } = key
    return value.map((item, index) => this.value(item, items, [...path, index]) ?? {})
  }

  /** A limit of nothing is one of two parts. */
  #oneLimit(value: Tree, key: Key): unknown {
    return decodeScalar(value, { ...key, type: "integer" }) ?? { soft: 0, hard: 0 }
  }

  /** Both are always there; JSON leaves out a zero, as it does of any struct. */
  #ulimit(value: TreeMap, key: Key, path: TreePath): Record<string, unknown> {
    const limits = this.struct(value, key, path)
    return { soft: 0, hard: 0, ...limits }
  }
}

/** A service without a network's particulars has null there; a resource without any is an empty one. */
function emptyOf(key: Key | undefined): Tree {
  return key?.forms?.some((form) => form.types?.includes("null")) === true ? null : {}
}

function filled<T extends object | undefined | null>(value: T, { keepsZero }: Key): T | undefined {
  return value === undefined || value === null || (keepsZero !== true && Object.keys(value).length === 0)
    ? undefined
    : value
}

/** A part that is a value of its own, not a reference, is left out when it is empty. */
function isEmptyPart(value: unknown, { keepsZero, type }: Key): boolean {
  return type === "struct" && keepsZero === false && Object.keys(value as object).length === 0
}

/** A text is split as a shell would; null is the image's. */
function words(value: Tree): string[] | undefined {
  if (value === null) return undefined
  if (typeof value !== "string") return decodeTexts(value)
  const split = shellWords(value)
  if (!split) throw new InvalidArgument("invalid command line string")
  return split
}

function healthTest(value: Tree): string[] | undefined {
  if (value === null) return undefined
  return typeof value === "string" ? ["CMD-SHELL", value] : decodeTexts(value)
}

function sshKeys(value: Tree): string[] {
  const pairs = decodePairs(value, "") ?? {}
  return Object.entries(pairs).map(([id, path]) => (path === "" || path === null ? id : `${id}=${path}`))
}
