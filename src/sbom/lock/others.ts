import { entriesOf, fieldsOf, jsonFields, objectsOf, textOf } from "../json.ts"
import type { Package } from "../package.ts"
import { Gathered } from "../reading.ts"
import { linesOf } from "../stanza.ts"
import { tomlTables } from "./toml-lists.ts"

/** Cargo.lock (Cargo book). */
export function parseCargoLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("cargo", "cargo", foundIn)
  for (const { list, values, needs } of tomlTables(bytes.toString("utf8")))
    if (list === "package") found.add(values.get("name"), values.get("version"), { needs })
  return found.packages
}

/** Julia's Manifest.toml: `[[deps.Name]]`. */
export function parseJuliaManifest(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("julia", "julia", foundIn)
  for (const { list, values } of tomlTables(bytes.toString("utf8")))
    if (list.startsWith("deps.")) found.add(list.slice("deps.".length), values.get("version"))
  return found.packages
}

/** go.mod (go.dev/ref/mod): what is required, as far as nothing replaces it. */
export function parseGoMod(bytes: Buffer, foundIn: string): Package[] {
  const required = new Map<string, { version: string; isIndirect: boolean }>()
  const replaced = new Map<string, { name: string; version: string | undefined }>()
  let block = ""
  for (const raw of linesOf(bytes.toString("utf8"))) {
    const [code = "", comment = ""] = raw.slice(0, 2048).split("//")
    const line = code.trim()
    if (line === ")") block = ""
    const [, opened] = /^(\w+)\s*\($/.exec(line) ?? []
    if (opened !== undefined) {
      block = opened
      continue
    }
    const [, verb = block, rest = line] = block === "" ? (/^(\w+)\s+(.*)$/.exec(line) ?? []) : []
    const words = rest.split(/\s+/).map((word) => word.replaceAll('"', ""))
    if (verb === "require" && words[0] && words[1])
      required.set(words[0], { version: words[1], isIndirect: comment.trim().startsWith("indirect") })
    if (verb === "replace") {
      const arrow = words.indexOf("=>")
      const [from, to, version] = [words[0], words[arrow + 1], words[arrow + 2]]
      if (arrow > 0 && from && to) replaced.set(from, { name: to, version })
    }
    if (required.size > 100_000) break
  }
  const found = new Gathered("golang", "gomod", foundIn)
  for (const [name, { version, isIndirect }] of required) {
    const other = replaced.get(name)
    if (other === undefined) found.add(name, version, { isIndirect })
    // a directory beside has no version
    else if (other.version !== undefined) found.add(other.name, other.version, { isIndirect })
  }
  return found.packages
}

/** Gemfile.lock (Bundler): four blanks before what is locked, six before what that needs. */
export function parseGemfileLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("gem", "bundler", foundIn)
  let [name, version, needs]: [string | undefined, string | undefined, string[]] = [undefined, undefined, []]
  const end = () => {
    // of a gem with machine code the platform follows
    const plain = version?.replace(/-(?:x86|x64|arm|aarch64|java|universal|mingw|mswin|linux|darwin).*$/, "")
    found.add(name, plain, { needs })
    needs = []
  }
  for (const line of linesOf(bytes.toString("utf8"))) {
    const [, needed] = /^ {6}([\w.-]+)(?: \(|!?$)/.exec(line.slice(0, 512)) ?? []
    if (needed !== undefined) {
      needs.push(needed)
      continue
    }
    end()
    ;[, name, version] = /^ {4}([\w.-]+) \(([^)\s]+)\)\s*$/.exec(line.slice(0, 512)) ?? []
  }
  end()
  return found.packages
}

/** composer.lock. */
export function parseComposerLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("composer", "composer", foundIn)
  const document = jsonFields(bytes)
  for (const each of objectsOf(document?.packages)) addComposer(found, each, false)
  for (const each of objectsOf(document?.["packages-dev"])) addComposer(found, each, true)
  return found.packages
}

/** A package of Composer's, with its licences. */
export function addComposer(found: Gathered, each: Readonly<Record<string, unknown>>, isDevelopment: boolean): void {
  const licenses = Array.isArray(each.license) ? each.license.filter((one) => typeof one === "string") : []
  found.add(textOf(each.name), textOf(each.version)?.replace(/^v(?=\d)/, ""), {
    isDevelopment,
    needs: Object.keys(fieldsOf(each.require) ?? {}),
    ...(licenses.length === 0 ? {} : { license: licenses.join(" OR ") }),
  })
}

/** mix.lock: `"name": {:hex, :name, "1.2.3", …`. */
export function parseMixLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("hex", "hex", foundIn)
  for (const line of linesOf(bytes.toString("utf8"))) {
    const [, name, version] = /^\s*"([\w.-]+)":\s*\{:hex,\s*:"?[\w.-]+"?,\s*"([^"]+)"/.exec(line.slice(0, 1024)) ?? []
    found.add(name, version)
  }
  return found.packages
}

/** pubspec.lock: two blanks before a name, four before what is said of it. */
export function parsePubspecLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("pub", "pub", foundIn)
  let name: string | undefined
  let isDevelopment = false
  for (const raw of linesOf(bytes.toString("utf8"))) {
    const line = raw.slice(0, 1024).trimEnd()
    if (/^\S/.test(line)) name = undefined
    const [, key] = /^ {2}([\w.-]+):$/.exec(line) ?? []
    if (key !== undefined) [name, isDevelopment] = [key, false]
    if (/^ {4}dependency: "?direct dev"?$/.test(line)) isDevelopment = true
    const [, version] = /^ {4}version: "?([^"]+)"?$/.exec(line) ?? []
    if (version !== undefined && name !== undefined) found.add(name, version, { isDevelopment })
  }
  return found.packages
}

/** Package.resolved of versions 1 to 3: a package's name is its address. */
export function parsePackageResolved(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("swift", "swift", foundIn)
  const document = jsonFields(bytes)
  const pins = document?.pins ?? fieldsOf(document?.object)?.pins
  for (const each of objectsOf(pins)) {
    const url = textOf(each.location, 1024) ?? textOf(each.repositoryURL, 1024)
    const state = fieldsOf(each.state)
    const name = url
      ?.replace(/^(?:\w+:\/\/(?:[^@/]*@)?|git@)/, "")
      .replace(":", "/")
      .replace(/\.git$/, "")
    found.add(name, textOf(state?.version) ?? textOf(state?.branch))
  }
  return found.packages
}

/** Podfile.lock: `  - Name (1.2.3)`, until the next title. */
export function parsePodfileLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("cocoapods", "cocoapods", foundIn)
  let section = ""
  for (const line of linesOf(bytes.toString("utf8"))) {
    if (/^\S/.test(line)) section = line.trim()
    const [, name, version] = /^ {2}- "?([^"(]{1,256}?) \(([^)\s]+)\)"?:?$/.exec(line.slice(0, 1024).trimEnd()) ?? []
    if (section === "PODS:") found.add(name, version)
  }
  return found.packages
}

/** conan.lock of versions 1 (a graph) and 2 (lists): `name/1.2@user/channel#revision%time`. */
export function parseConanLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("conan", "conan", foundIn)
  const document = jsonFields(bytes)
  const nodes = entriesOf(fieldsOf(document?.graph_lock)?.nodes).map(([, { ref }]) => ref)
  const lists = ["requires", "build_requires", "python_requires"].map((key) => document?.[key])
  for (const [index, list] of [nodes, ...lists].entries())
    for (const ref of Array.isArray(list) ? (list as unknown[]) : []) {
      const [, name, version] = /^([\w.+-]+)\/([^@#%\s]+)/.exec(textOf(ref) ?? "") ?? []
      found.add(name, version, { isDevelopment: index === 2 })
    }
  return found.packages
}

/** gradle.lockfile: `group:artifact:version=configurations`. */
export function parseGradleLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("maven", "gradle", foundIn)
  for (const line of linesOf(bytes.toString("utf8"))) {
    const [, group, artifact, version, uses = ""] =
      /^([^#:=\s]+):([^:=\s]+):([^:=\s]+)=(.*)$/.exec(line.slice(0, 2048)) ?? []
    if (group === undefined || artifact === undefined) continue
    const isDevelopment = uses.split(",").every((use) => /test/i.test(use))
    found.add(`${group}:${artifact}`, version, { isDevelopment })
  }
  return found.packages
}

/** build.sbt.lock. */
export function parseSbtLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("maven", "sbt", foundIn)
  for (const { org, name, version, configurations } of objectsOf(jsonFields(bytes)?.dependencies)) {
    const uses = Array.isArray(configurations) ? (configurations as unknown[]) : []
    const [group, artifact] = [textOf(org), textOf(name)]
    if (group === undefined || artifact === undefined) continue
    const isDevelopment = uses.length > 0 && uses.every((use) => use === "test" || use === "provided")
    found.add(`${group}:${artifact}`, textOf(version), { isDevelopment })
  }
  return found.packages
}
