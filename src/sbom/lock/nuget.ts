import { entriesOf, fieldsOf, jsonFields, textOf } from "../json.ts"
import type { Package } from "../package.ts"
import { Gathered } from "../reading.ts"

/** *.deps.json of a published .NET program: those libraries that are packages. */
export function parseDepsJson(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("nuget", "dotnet-core", foundIn)
  for (const [key, { type }] of entriesOf(jsonFields(bytes)?.libraries)) {
    const [name, version] = key.split("/")
    if (type === "package") found.add(name, version)
  }
  return found.packages
}

/** packages.lock.json: for each framework, what is locked. */
export function parsePackagesLockJson(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("nuget", "nuget", foundIn)
  for (const [, framework] of entriesOf(jsonFields(bytes)?.dependencies))
    for (const [name, each] of entriesOf(framework))
      if (each.type !== "Project")
        found.add(name, textOf(each.resolved), {
          isIndirect: each.type === "Transitive",
          needs: Object.keys(fieldsOf(each.dependencies) ?? {}),
        })
  return found.packages
}

/** packages.config: `<package id="Name" version="1.2.3" />`. */
export function parsePackagesConfig(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("nuget", "nuget", foundIn)
  for (const tag of tagsOf(bytes, "package"))
    found.add(tag.get("id"), tag.get("version"), { isDevelopment: tag.get("developmentdependency") === "true" })
  return found.packages
}

/** Directory.Packages.props: versions for all projects below. */
export function parsePackagesProps(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("nuget", "packages-props", foundIn)
  for (const name of ["PackageVersion", "PackageReference"])
    for (const tag of tagsOf(bytes, name)) {
      const version = tag.get("version")
      if (version !== undefined && /^\d/.test(version)) found.add(tag.get("include") ?? tag.get("update"), version)
    }
  return found.packages
}

const MAX_TAG = 4096

/** The attributes of each element of that name, by their names in lower case. */
function* tagsOf(bytes: Buffer, name: string): Generator<ReadonlyMap<string, string>> {
  const text = bytes.toString("utf8")
  for (let at = text.indexOf(`<${name}`), end = 0; at >= 0; at = text.indexOf(`<${name}`, end)) {
    // a longer one is none: what follows is looked at once, however often an element begins in it
    const piece = text.slice(at, at + MAX_TAG)
    const close = piece.indexOf(">")
    end = at + (close < 0 ? piece.length : close)
    if (close < 0) continue
    const attributes = new Map<string, string>()
    for (const [, key = "", value = ""] of piece
      .slice(name.length + 1, close)
      .matchAll(/([\w.-]{1,64})\s{0,64}=\s{0,64}["']([^"']{0,512})["']/g))
      attributes.set(key.toLowerCase(), value)
    if (/[\s/>]/.test(text[at + name.length + 1] ?? "")) yield attributes
  }
}
