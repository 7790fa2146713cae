import { entriesOf, fieldsOf, jsonFields, textOf } from "../json.ts"
import type { Package } from "../package.ts"
import { Gathered } from "../reading.ts"
import { linesOf } from "../stanza.ts"

const MAX_DEPTH = 50
/** Of one package. */
const MAX_NEEDS = 1000

/** npm's package-lock.json of all versions (npm docs, package-lock.json). */
export function parsePackageLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("npm", "npm", foundIn)
  const document = jsonFields(bytes)
  if (document?.packages !== undefined) {
    for (const [path, each] of entriesOf(document.packages)) {
      if (path === "" || each.link === true || !path.includes("node_modules/")) continue
      const name = textOf(each.name) ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)
      found.add(name, textOf(each.version), {
        isDevelopment: each.dev === true || each.devOptional === true,
        ...licensed(each.license),
        needs: [...namesIn(each.dependencies), ...namesIn(each.optionalDependencies)],
      })
    }
    return found.packages
  }
  // version 1: each below the one that needs it
  const pending = [{ dependencies: document?.dependencies, depth: 0 }]
  for (let next = pending.pop(); next !== undefined && !found.isFull; next = pending.pop())
    for (const [name, each] of entriesOf(next.dependencies)) {
      const version = textOf(each.version)
      const [, realName, realVersion] = /^npm:(.+)@([^@]+)$/.exec(version ?? "") ?? []
      if (each.bundled !== true || version !== undefined)
        found.add(realName ?? name, realVersion ?? version, {
          isDevelopment: each.dev === true,
          needs: namesIn(each.requires),
        })
      if (next.depth < MAX_DEPTH) pending.push({ dependencies: each.dependencies, depth: next.depth + 1 })
    }
  return found.packages
}

function namesIn(object: unknown): string[] {
  return Object.keys(fieldsOf(object) ?? {})
}

function licensed(license: unknown): { license?: string } {
  const text = textOf(license)
  return text === undefined ? {} : { license: text }
}

/** yarn.lock of version 1, and of those since 2, which is a YAML of one shape. */
export function parseYarnLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("npm", "yarn", foundIn)
  let specifier = ""
  let version: string | undefined
  let resolution: string | undefined
  let [needs, isNeeds]: [string[], boolean] = [[], false]
  const end = (): void => {
    const name = resolution === undefined ? nameOfSpecifier(specifier) : nameOfSpecifier(resolution)
    const isOwn = /@(?:workspace|link|portal|file):/.test(resolution ?? specifier)
    if (specifier !== "" && !specifier.startsWith("__metadata") && !isOwn) found.add(name, version, { needs })
    specifier = ""
    needs = []
    isNeeds = false
    version = resolution = undefined
  }
  for (const raw of linesOf(bytes.toString("utf8"))) {
    const line = raw.trimEnd()
    if (line === "" || line.startsWith("#")) continue
    if (!line.startsWith(" ")) {
      end()
      // `"a@^1, a@^2":` and `a@^1, a@^2:`
      specifier = (line.slice(0, 4096).replace(/:$/, "").split(",")[0] ?? "").replaceAll('"', "").trim()
    } else if (line.startsWith("    ")) {
      // `"@s/a" "^1"` and `"@s/a": "npm:^1"`
      const [, name] = isNeeds ? (/^ {4}"?((?:@[^/"\s]+\/)?[^"\s:]+)/.exec(line.slice(0, 512)) ?? []) : []
      if (name !== undefined) needs.push(name)
    } else if (/^ {2}[a-z]\w*:$/i.test(line)) isNeeds = /^ {2}(?:optionalD|d)ependencies:$/.test(line)
    else if (line.startsWith("  version") && line[2 + "version".length] !== "s")
      version ??= line.slice("  version".length).replace(/^:/, "").trim().replaceAll('"', "")
    else if (line.startsWith("  resolution:"))
      resolution ??= line.slice("  resolution:".length).trim().replaceAll('"', "")
  }
  end()
  return found.packages
}

/** `@s/a@npm:^1` is `@s/a`, `b@npm:@s/a@^1` is another's name for `@s/a`. */
function nameOfSpecifier(specifier: string): string {
  const at = specifier.indexOf("@", 1)
  if (at < 0) return specifier
  const alias = /^npm:(@?[^@]+)@/.exec(specifier.slice(at + 1))?.[1]
  return alias ?? specifier.slice(0, at)
}

/** pnpm-lock.yaml of versions 5 to 9: the keys of its `packages`, read a line at a time; what they need stands with them, since 9 in `snapshots`. */
export function parsePnpmLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("npm", "pnpm", foundIn)
  const listed: { name: string; version: string; isDevelopment: boolean }[] = []
  const needs = new Map<string, string[]>()
  let section = ""
  let current: (typeof listed)[number] | undefined
  let isNeeds = false
  for (const raw of linesOf(bytes.toString("utf8"))) {
    const line = raw.trimEnd()
    if (line === "") continue
    if (!line.startsWith(" ")) {
      section = line
      current = undefined
    } else if (section !== "packages:" && section !== "snapshots:") continue
    else if (/^ {2}\S/.test(line)) {
      const key = pnpmKey(line.slice(2, 1024))
      current = key && { ...key, isDevelopment: false }
      if (current !== undefined && section === "packages:") listed.push(current)
      isNeeds = false
    } else if (line === "    dev: true" && current !== undefined) current.isDevelopment = true
    else if (/^ {4}\S/.test(line)) {
      isNeeds = /^ {4}(?:optionalD|d)ependencies:/.test(line)
      // in one line, as YAML may have it
      const [, inner] = isNeeds ? (/\{(.*)\}$/.exec(line.slice(0, 4096)) ?? []) : []
      for (const part of inner?.split(",") ?? []) need(part.trim())
    } else if (isNeeds) need(line.trim().slice(0, 512))
  }
  for (const { name, version, isDevelopment } of listed)
    found.add(name, version, { isDevelopment, needs: needs.get(`${name}@${version}`) ?? [] })
  return found.packages

  function need(text: string): void {
    const [, name] = /^['"]?((?:@[^/'"\s]+\/)?[^@/'":\s]+)['"]?:/.exec(text) ?? []
    if (current === undefined || name === undefined) return
    const key = `${current.name}@${current.version}`
    const known = needs.get(key)
    if (known === undefined) needs.set(key, [name])
    else if (known.length < MAX_NEEDS) known.push(name)
  }
}

/** `/a/1.0.0_peer:` (5), `/a@1.0.0(peer):` (6), `a@1.0.0:` (9), quoted or not. */
function pnpmKey(text: string): { name: string; version: string } | undefined {
  const key = text
    .replaceAll(/['"]/g, "")
    .replace(/:\s.*$|:$/s, "")
    .replace(/\(.*$/s, "")
  const [, name, version] =
    /^\/((?:@[^/@]+\/)?[^/@]+)\/(\d[^/_]*)/.exec(key) ?? /^\/?((?:@[^/@]+\/)?[^/@]+)@(\d[^_]*)/.exec(key) ?? []
  // what comes from elsewhere has an address there
  return name === undefined || version === undefined ? undefined : { name, version }
}

/** bun.lock: JSON with commas at the end of lists; a package is `["name@version", …]`. */
export function parseBunLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("npm", "bun", foundIn)
  const document = jsonFields(Buffer.from(withoutTrailingCommas(bytes.toString("utf8"))))
  for (const each of Object.values(fieldsOf(document?.packages) ?? {})) {
    const id = Array.isArray(each) ? textOf(each[0]) : undefined
    const at = id?.lastIndexOf("@") ?? -1
    if (id === undefined || at <= 0) continue
    const version = id.slice(at + 1)
    if (/^\d/.test(version)) found.add(id.slice(0, at), version)
  }
  return found.packages
}

function withoutTrailingCommas(text: string): string {
  const parts: string[] = []
  let [start, comma] = [0, -1]
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]
    if (letter === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === "\\") at++
      comma = -1
    } else if (letter === ",") comma = at
    else if ((letter === "]" || letter === "}") && comma >= 0) {
      parts.push(text.slice(start, comma))
      start = comma + 1
      comma = -1
    } else if (letter !== " " && letter !== "\n" && letter !== "\t" && letter !== "\r") comma = -1
  }
  return parts.join("") + text.slice(start)
}
