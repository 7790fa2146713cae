import { defined } from "../../base/defined.ts"
import { InvalidArgument } from "../../base/errors.ts"
import { parseYaml } from "../../sys/yaml.ts"
import type { IgnoreRule } from "./rules.ts"

/** A rule that is not over, by kind of finding. */
export interface FileRules {
  vulnerabilities: readonly IgnoreRule[]
  /** Ids of what is no vulnerability: `misconfigurations`, `secrets`, `licenses`, with the paths they are for. */
  others: readonly { kind: string; id: string; paths: readonly string[]; statement?: string }[]
}

/**
 * `.trivyignore` (an id a line, `exp:2026-01-01` after it, comments), `.trivyignore.yaml`, or `.grype.yaml` by what is in it. A rule that is
 * past its day does not count. Throws InvalidArgument with the line.
 */
export function parseIgnoreFile(text: string, path: string, today = new Date().toISOString().slice(0, 10)): FileRules {
  if (!/\.ya?ml$/.test(path)) return linesOf(text, path, today)
  let document: unknown
  try {
    document = parseYaml(text)
  } catch (cause) {
    throw new InvalidArgument(`"${path}" is no YAML: ${cause instanceof Error ? cause.message : String(cause)}`, {
      field: "ignoreFile",
      cause,
    })
  }
  if (document === null || document === undefined) return { vulnerabilities: [], others: [] }
  if (!isObject(document)) throw invalid(path, "it is no mapping")
  return "ignore" in document ? grypeRules(document["ignore"], path) : trivyRules(document, path, today)
}

function linesOf(text: string, path: string, today: string): FileRules {
  const rules: IgnoreRule[] = []
  const others: { kind: string; id: string; paths: readonly string[] }[] = []
  for (const [index, line] of text.split("\n").entries()) {
    const [words = ""] = line.split("#")
    const [id, ...rest] = words.trim().split(/\s+/)
    if (!id) continue
    const expiry = rest.find((word) => word.startsWith("exp:"))?.slice(4)
    if (expiry !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(expiry))
      throw invalid(path, `line ${index + 1} has the day "${expiry}", which is not like 2026-01-31`)
    if (expiry !== undefined && expiry < today) continue
    rules.push({ id, by: { kind: "ignore-file", source: path } })
    others.push({ kind: "any", id, paths: [] })
  }
  return { vulnerabilities: rules, others }
}

interface TrivyRule {
  kind: string
  id: string
  paths: readonly string[]
  purls: readonly string[]
  statement: string | undefined
}

const KINDS = ["misconfigurations", "secrets", "licenses"]

function trivyRules(document: Record<string, unknown>, path: string, today: string): FileRules {
  const of = (kind: string): TrivyRule[] =>
    listOf(document[kind], path, kind).flatMap((entry) => {
      const id = textOf(entry["id"])
      if (id === undefined) throw invalid(path, `an entry of ${kind} has no id`)
      const expiry = dayOf(entry["expired_at"], path)
      if (expiry !== undefined && expiry < today) return []
      const statement = textOf(entry["statement"])
      return [{ kind, id, paths: textsOf(entry["paths"]), purls: textsOf(entry["purls"]), statement }]
    })
  return {
    vulnerabilities: of("vulnerabilities").map((each) => trivyRule(each, path)),
    others: KINDS.flatMap(of).map(otherRule),
  }
}

function trivyRule({ id, paths, purls, statement }: TrivyRule, path: string): IgnoreRule {
  return {
    id,
    ...(paths.length === 0 ? {} : { paths }),
    ...(purls.length === 0 ? {} : { purls }),
    by: byFile(path, statement),
  }
}

function otherRule({ kind, id, paths, statement }: TrivyRule): FileRules["others"][number] {
  return { kind, id, paths, ...(statement === undefined ? {} : { statement }) }
}

function grypeRules(value: unknown, path: string): FileRules {
  return { vulnerabilities: listOf(value, path, "ignore").map((entry) => grypeRule(entry, path)), others: [] }
}

/** Grype's: all that a rule names must be so. */
function grypeRule(entry: Record<string, unknown>, path: string): IgnoreRule {
  const each = isObject(entry["package"]) ? entry["package"] : {}
  const [id, fixState] = [textOf(entry["vulnerability"]), textOf(entry["fix-state"])]
  const [name, version, type, location] = ["name", "version", "type", "location"].map((key) => textOf(each[key]))
  if ([id, fixState, name, version, type, location].every((word) => word === undefined))
    throw invalid(path, "a rule of ignore names nothing that is known: vulnerability, fix-state or package")
  return {
    ...defined({ id, fixState }),
    package: defined({ name, version, type: type === undefined ? undefined : (GRYPE_TYPES[type] ?? type), location }),
    by: byFile(path, textOf(entry["reason"])),
  }
}

function byFile(source: string, statement: string | undefined): IgnoreRule["by"] {
  return { kind: "ignore-file", source, ...(statement === undefined ? {} : { statement }) }
}

/** Its words, where a package URL has others. */
const GRYPE_TYPES: Readonly<Record<string, string>> = {
  python: "pypi",
  "java-archive": "maven",
  "go-module": "golang",
  "rust-crate": "cargo",
  "php-composer": "composer",
  dotnet: "nuget",
}

function dayOf(value: unknown, path: string): string | undefined {
  if (value === undefined) return undefined
  const text = value instanceof Date ? value.toISOString().slice(0, 10) : String(value).slice(0, 10)
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) throw invalid(path, `expired_at is "${text}", which is not like 2026-01-31`)
  return text
}

function listOf(value: unknown, path: string, key: string): Record<string, unknown>[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || !value.every(isObject)) throw invalid(path, `${key} is no list of rules`)
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : []
}

function invalid(path: string, what: string): InvalidArgument {
  return new InvalidArgument(`"${path}" cannot be read as rules of what to ignore: ${what}`, { field: "ignoreFile" })
}
