import type { Package, PackageKind, PackageType } from "./package.ts"
import { MAX_PACKAGES, MAX_VALUE, present } from "./stanza.ts"

/** Reads one file that tells of packages; what is no such file tells of none. Never throws. */
export type FileParser = (bytes: Buffer, foundIn: string) => Package[]

/** Of one package. */
const MAX_NEEDS = 1000

/** Gathers the packages of one file: each name and version once, no more than may be. */
export class Gathered {
  readonly #packages = new Map<string, Package>()
  readonly #needs = new Map<string, readonly string[]>()
  readonly #type: PackageType
  readonly #kind: PackageKind
  readonly #foundIn: string

  constructor(type: PackageType, kind: PackageKind, foundIn: string) {
    this.#type = type
    this.#kind = kind
    this.#foundIn = foundIn
  }

  get isFull(): boolean {
    return this.#packages.size >= MAX_PACKAGES
  }

  /** What lacks a name or a version is none. */
  add(
    name: string | undefined,
    version: string | undefined,
    more: { license?: string; isDevelopment?: boolean; isIndirect?: boolean; needs?: readonly string[] } = {},
  ): void {
    if (!name || !version || this.isFull) return
    const [shortName, shortVersion] = [name.slice(0, MAX_VALUE), version.slice(0, MAX_VALUE)]
    const key = `${shortName}\0${shortVersion}`
    const before = this.#packages.get(key)
    // needed by both, it is needed
    if (before !== undefined && !(before.isDevelopment === true && more.isDevelopment !== true)) return
    this.#packages.set(key, {
      type: this.#type,
      kind: this.#kind,
      name: shortName,
      version: shortVersion,
      ...present({ license: more.license }),
      ...(more.isDevelopment === true ? { isDevelopment: true } : {}),
      ...(more.isIndirect === true ? { isIndirect: true } : {}),
      foundIn: this.#foundIn,
    })
    if (more.needs !== undefined && more.needs.length > 0) this.#needs.set(key, more.needs.slice(0, MAX_NEEDS))
  }

  /** Those that say what they need, by name, with what of it is there: which version of several is not known. */
  get packages(): Package[] {
    if (this.#needs.size === 0) return [...this.#packages.values()]
    const names = new Set<string>()
    for (const { name } of this.#packages.values()) names.add(name)
    return [...this.#packages].map(([key, each]) => {
      const needs = new Set(this.#needs.get(key)?.filter((name) => names.has(name) && name !== each.name))
      return needs.size === 0 ? each : Object.assign(each, { dependsOn: [...needs].toSorted() })
    })
  }
}
