import { InvalidArgument, NotFound } from "../base/errors.ts"
import type { Definition } from "./definition.ts"
import { checkPatterns, matches, readOverride, withOverrides, type Override } from "./override.ts"
import { mergeTargets, normalTarget, type BakeTarget, type Fields } from "./target.ts"

/** What is built: the same that `--print` shows. */
export interface BakePlan {
  group: Record<string, { targets: string[] }>
  target: Record<string, BakeTarget>
  /** Built only for those that take them as a context. */
  linked: readonly string[]
}

/** What the caller wants otherwise. */
export interface ResolveOptions {
  /** Names and patterns of targets and groups; none: `default`. */
  names: readonly string[]
  /** `PATTERN.KEY=VALUE`. */
  overrides: readonly string[]
  environment: Readonly<Record<string, string | undefined>>
  push?: boolean
  load?: boolean
}

/** Deeper than groups and parents are in a file that works. */
const MOST_DEPTH = 200

/** Throws NotFound for a name that is none, InvalidArgument for a circle or a wrong override. */
export function resolveBake(definition: Definition, options: ResolveOptions): BakePlan {
  const names = chosen(definition, options.names.length === 0 ? ["default"] : options.names)
  const overrides = options.overrides.flatMap((text) => readOverride(text, options.environment) ?? [])
  checkPatterns(overrides, [...definition.targets.keys()])
  const resolver = new Resolver(definition, overrides, options)
  const groups: Record<string, { targets: string[] }> = {}
  for (const name of names) resolver.add(name, groups)
  if (!definition.groups.has("default") || !names.includes("default")) groups.default = { targets: sortedOnce(names) }
  const target = resolver.targets()
  return { group: byName(groups), target, linked: resolver.linked }
}

function chosen({ groups, targets }: Definition, names: readonly string[]): string[] {
  const all = [...groups.keys(), ...targets.keys()].toSorted()
  return names.flatMap((name) => {
    if (!/[*?]/.test(name)) return [name.replaceAll(".", "_")]
    const found = all.filter((one) => matches(name, one))
    if (found.length === 0) throw new NotFound(`could not find any target matching '${name}'`, { hint: { valid: all } })
    return found
  })
}

class Resolver {
  readonly linked: string[] = []
  /** With what they inherit; a parent of many is made once. */
  readonly #made = new Map<string, BakeTarget>()
  readonly #found = new Map<string, BakeTarget>()
  readonly #definition: Definition
  readonly #overrides: readonly Override[]
  readonly #options: ResolveOptions

  constructor(definition: Definition, overrides: readonly Override[], options: ResolveOptions) {
    this.#definition = definition
    this.#overrides = overrides
    this.#options = options
  }

  /** A group with all that is in it, or a target. */
  add(name: string, groups: Record<string, { targets: string[] }>): void {
    const members = this.#definition.groups.get(name)
    if (!members) return void this.#resolve(name)
    if (Object.hasOwn(groups, name)) return
    groups[name] = { targets: sortedOnce(members) }
    for (const member of members) if (member !== name || !this.#definition.targets.has(name)) this.add(member, groups)
    if (members.includes(name) && this.#definition.targets.has(name)) this.#resolve(name)
  }

  /** All of them and those that they are linked to, by name. */
  targets(): Record<string, BakeTarget> {
    for (const name of this.#found.keys()) this.#link(name, [])
    return byName(Object.fromEntries(this.#found))
  }

  #link(name: string, path: readonly string[]): void {
    for (const value of Object.values(this.#found.get(name)?.contexts ?? {})) {
      if (!value.startsWith("target:")) continue
      const other = value.slice("target:".length)
      if (other === name) throw new InvalidArgument(`target ${name} cannot link to itself`)
      if (path.includes(other)) throw new InvalidArgument(`infinite loop from ${name} to ${other}`)
      if (!this.#found.has(other)) {
        this.#found.set(other, { ...this.#inherited(other, []), output: [{ type: "cacheonly" }] })
        this.#found.set(other, normalTarget(this.#found.get(other) ?? {}))
        this.linked.push(other)
      }
      this.#link(other, [...path, name])
    }
  }

  #resolve(name: string): void {
    if (this.#found.has(name)) return
    const { push = false, load = false } = this.#options
    this.#found.set(name, normalTarget(withOutputs(this.#inherited(name, []), push, load)))
  }

  #inherited(name: string, path: readonly string[]): BakeTarget {
    const known = this.#made.get(name)
    if (known) return known
    const draft = this.#definition.targets.get(name)
    if (!draft)
      throw new NotFound(`failed to find target ${name}`, {
        hint: { valid: [...this.#definition.groups.keys(), ...this.#definition.targets.keys()].toSorted() },
      })
    if (path.includes(name) || path.length > MOST_DEPTH)
      throw new InvalidArgument(`target ${name} inherits from itself: ${[...path, name].join(" -> ")}`)
    const parents = draft.inherits.map((parent) => this.#inherited(parent, [...path, name]))
    const own = parents.reduceRight((over, parent) => mergeTargets(parent, over), draft.own)
    const made = withOverrides(name, own, this.#overrides)
    this.#made.set(name, made)
    return made
  }
}

function withOutputs(target: BakeTarget, push: boolean, load: boolean): BakeTarget {
  let outputs: readonly Fields[] = target.output ?? []
  if (push) {
    const isPushed = outputs.some(({ type }) => type === "image" || type === "registry")
    outputs = outputs.map((one) => (one.type === "image" ? { ...one, push: "true" } : one))
    if (!isPushed) outputs = [...outputs, { push: "true", type: "image" }]
  }
  if (load && !outputs.some(({ type, dest }) => type === "docker" && dest === undefined))
    outputs = [...outputs, { type: "docker" }]
  return outputs.length === 0 ? target : { ...target, output: outputs }
}

function sortedOnce(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted()
}

function byName<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
