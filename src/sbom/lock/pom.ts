import type { Package } from "../package.ts"
import { Gathered } from "../reading.ts"

const MAX_DEPTH = 8
const MAX_BYTES = 4 * 1024 ** 2
const MAX_DEPENDENCY = 16_384

/**
 * pom.xml (maven.apache.org/pom.html): the project's own dependencies, with their versions as far as this file says them, by its properties and
 * its dependencyManagement. What a parent elsewhere decides has no version here.
 */
export function parsePom(bytes: Buffer, foundIn: string): Package[] {
  const text = withoutBetween(bytes.toString("utf8", 0, MAX_BYTES), "<!--", "-->")
  const project = sectionOf(text, "project") ?? ""
  const properties = new Map<string, string>()
  const tags = /<([\w.-]{1,128})>([^<]{0,256})<\/\1>/g
  for (const [, key = "", value = ""] of (sectionOf(project, "properties") ?? "").matchAll(tags))
    properties.set(key, value.trim())
  const head = without(project, ["dependencies", "dependencyManagement", "build", "profiles", "parent", "reporting"])
  const parent = sectionOf(project, "parent") ?? ""
  for (const key of ["groupId", "version", "artifactId"]) {
    const value = valueOf(head, key) ?? valueOf(parent, key)
    if (value !== undefined) properties.set(`project.${key}`, value)
  }
  const managed = new Map<string, string>()
  for (const each of dependenciesIn(sectionOf(project, "dependencyManagement") ?? "", properties))
    if (each.version !== undefined) managed.set(each.name, each.version)
  const found = new Gathered("maven", "pom", foundIn)
  const own = without(project, ["dependencyManagement", "build", "profiles", "reporting"])
  for (const { name, version = managed.get(name), scope } of dependenciesIn(own, properties))
    if (version !== undefined && !/[${[(,]/.test(version))
      found.add(name, version, { isDevelopment: scope === "test" || scope === "provided" })
  return found.packages
}

function* dependenciesIn(text: string, properties: ReadonlyMap<string, string>) {
  const list = sectionOf(text, "dependencies") ?? ""
  for (let at = list.indexOf("<dependency>"); at >= 0; at = list.indexOf("<dependency>", at + 1)) {
    const piece = list.slice(at, at + MAX_DEPENDENCY)
    const end = piece.indexOf("</dependency>")
    if (end < 0) continue
    const body = without(piece.slice(0, end), ["exclusions"])
    at += end
    const value = (tag: string): string | undefined => filled(valueOf(body, tag), properties)
    const [group, artifact] = [value("groupId"), value("artifactId")]
    if (group !== undefined && artifact !== undefined)
      yield { name: `${group}:${artifact}`, version: value("version"), scope: value("scope") }
  }
}

function filled(text: string | undefined, properties: ReadonlyMap<string, string>): string | undefined {
  let value = text
  for (let depth = 0; depth < MAX_DEPTH && value?.includes("${") === true; depth++)
    value = value
      .replaceAll(
        /\$\{([\w.-]{1,128})\}/g,
        (whole, key: string) => properties.get(key.replace(/^pom\./, "project.")) ?? whole,
      )
      .slice(0, 1024)
  return value
}

function valueOf(text: string, tag: string): string | undefined {
  const value = sectionOf(text, tag)?.trim()
  return value === undefined || value === "" || value.includes("<") ? undefined : value.slice(0, 256)
}

function sectionOf(text: string, tag: string): string | undefined {
  const start = new RegExp(`<${tag}(?:\\s[^<>]{0,1024})?>`).exec(text)
  if (start === null) return undefined
  const from = start.index + start[0].length
  const end = text.indexOf(`</${tag}>`, from)
  // the outermost ends last
  const last = tag === "project" ? text.lastIndexOf(`</${tag}>`) : end
  return last < 0 ? undefined : text.slice(from, last)
}

function without(text: string, tags: readonly string[]): string {
  let rest = text
  for (const tag of tags) rest = withoutBetween(rest, `<${tag}>`, `</${tag}>`)
  return rest
}

/** The text without what stands from each `start` to the next `end`, both included. In linear time. */
function withoutBetween(text: string, start: string, end: string): string {
  const parts: string[] = []
  let from = 0
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, from)) {
    parts.push(text.slice(from, at))
    const close = text.indexOf(end, at)
    if (close < 0) return parts.join("")
    from = close + end.length
  }
  return parts.join("") + text.slice(from)
}
