import { dirname, isAbsolute, resolve } from "node:path"
import { formatUnit, unitWordsWithSpecifiers, type UnitLine } from "../units/unit-file.ts"
import type { KeyTable } from "./keys.ts"
import { OWN_SECTION, type QuadletKind, type QuadletUnit } from "./quadlet-unit.ts"

/** What converters look at beside their own file. */
export interface QuadletContext {
  /** Words that run skiff. */
  skiff: readonly string[]
  isUser: boolean
  /** All files, by name. */
  units: ReadonlyMap<string, QuadletUnit>
}

/** Keys of every kind that are no flags. */
const COMMON = new Set(["ServiceName", "PodmanArgs", "GlobalArgs", "ContainersConfModule"])
/** What the user says of the unit itself is his; of these keys the first section of ours has the say. */
const SERVICE = "Service"

/** A service under way: lines of ours, before those that the file itself has. */
export class ServiceBuilder {
  readonly unit: QuadletUnit
  readonly context: QuadletContext
  readonly #unitLines: UnitLine[] = []
  readonly #serviceLines: UnitLine[] = []
  readonly #known = new Set(COMMON)

  constructor(unit: QuadletUnit, context: QuadletContext) {
    this.unit = unit
    this.context = context
    if (unit.last("ContainersConfModule") !== undefined)
      throw unit.error("ContainersConfModule= is not supported: skiff reads no containers.conf")
  }

  /** Keys that the converter reads itself. */
  know(...keys: readonly string[]): void {
    for (const key of keys) this.#known.add(key)
  }

  /** The flags that the table makes of the file's keys, as words. */
  flags(table: KeyTable): string[] {
    this.know(...Object.keys(table))
    return Object.entries(table).flatMap(([key, [flag, kind]]) => {
      switch (kind) {
        case "value": {
          const value = this.unit.last(key)
          return value === undefined ? [] : [`${flag}=${value}`]
        }
        case "list":
          return this.unit.all(key).map((value) => `${flag}=${value}`)
        case "words":
          return this.unit.words(key).map((value) => `${flag}=${value}`)
        case "bool": {
          const isSet = this.unit.isSet(key)
          return isSet === undefined ? [] : [`${flag}=${isSet}`]
        }
        case "set":
          return this.unit.isSet(key) ? [flag] : []
      }
    })
  }

  /** `skiff` with the global flags that the file asks for. */
  command(...words: readonly string[]): string[] {
    return [...this.context.skiff, ...this.unit.words("GlobalArgs"), ...words]
  }

  /** Further flags, as they were written. */
  get extra(): string[] {
    return this.unit.words("PodmanArgs")
  }

  inUnit(...lines: readonly UnitLine[]): void {
    this.#unitLines.push(...lines)
  }

  inService(...lines: readonly UnitLine[]): void {
    this.#serviceLines.push(...lines)
  }

  /** Unless the file says it. */
  byDefault(key: string, value: string): void {
    if (this.unit.all(key, this.unit.sections.get(SERVICE)).length === 0) this.inService([key, value])
  }

  runs(
    key: "ExecStartPre" | "ExecStart" | "ExecStop" | "ExecStopPost" | "ExecReload",
    words: readonly string[],
    prefix = "",
  ): void {
    this.inService([key, prefix + unitWordsWithSpecifiers(words)])
  }

  /** Another file that this one names: its service comes first. Undefined: the name is none of a file. Throws InvalidArgument. */
  dependency(name: string, kinds: readonly QuadletKind[]): QuadletUnit | undefined {
    if (!kinds.some((kind) => name.endsWith(`.${kind}`))) return undefined
    const found = this.context.units.get(name)
    if (found === undefined) throw this.unit.error(`requested Quadlet unit "${name}" was not found`)
    const service = `${found.serviceName}.service`
    this.inUnit(["Requires", service], ["After", service])
    return found
  }

  /** A path of the file, from the directory that the file lies in; `%` begins a specifier. */
  path(value: string): string {
    return isAbsolute(value) || value.startsWith("%") ? value : resolve(dirname(this.unit.path), value)
  }

  /** The whole text. Throws InvalidArgument for a key that nobody knows. */
  text(): string {
    const { unit } = this
    const own = OWN_SECTION[unit.kind]
    const unknown = unit.lines.find(([key]) => !this.#known.has(key))
    if (unknown !== undefined) throw unit.error(`unsupported key '${unknown[0]}' in group '${own}'`)
    const rest = [...unit.sections].filter(([name]) => !["Unit", SERVICE, own, "Quadlet"].includes(name))
    const online: UnitLine[] = this.context.isUser
      ? []
      : [
          ["Wants", "network-online.target"],
          ["After", "network-online.target"],
        ]
    return formatUnit(
      new Map<string, readonly UnitLine[]>([
        [
          "Unit",
          [
            ...(wantsOnline(unit) ? online : []),
            ["SourcePath", unit.path],
            ...this.#unitLines,
            ...(unit.sections.get("Unit") ?? []),
          ],
        ],
        // ours stays readable, and systemd passes over it
        [`X-${own}`, unit.lines],
        [SERVICE, [...(unit.sections.get(SERVICE) ?? []), ...this.#serviceLines]],
        ...rest,
      ]),
      "generated by skiff quadlet",
    )
  }
}

function wantsOnline(unit: QuadletUnit): boolean {
  return !unit.sections
    .get("Quadlet")
    ?.some(([key, value]) => key === "DefaultDependencies" && /^(0|no|false|off)$/i.test(value))
}
