import { existsSync, readFileSync, statSync } from "node:fs"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import type { Finding, IgnoredBy, ScanOptions, Vulnerability } from "../scan.ts"
import { parseIgnoreFile, type FileRules } from "./ignore-file.ts"
import { isInGlob, ruleFor, type IgnoreRule } from "./rules.ts"
import { parseVex } from "./vex.ts"

/** Read where none is named, the first that is there. */
const DEFAULT_FILES = [".trivyignore", ".trivyignore.yaml", ".trivyignore.yml", ".grype.yaml"]
const MAX_FILE_BYTES = 64 * 1024 ** 2

/** Words of `vex` that are no paths. */
const VEX_SOURCES: ReadonlySet<string> = new Set(["oci", "repo"])

type FileOptions = Pick<ScanOptions, "ignoreFile" | "withoutLocalFiles">
type IgnoreOptions = FileOptions & Pick<ScanOptions, "vex" | "ignoreUnfixed" | "ignoreStatuses">

/** Says of each vulnerability that does not count whose word that is; `more`: VEX from elsewhere. Throws NotFound, InvalidArgument for a file of rules. */
export function ignoreFindings<F extends Finding>(
  findings: readonly F[],
  options: IgnoreOptions,
  more: readonly IgnoreRule[] = [],
): F[] {
  const rules = [...more, ...rulesOf(options)]
  return findings.map((each) => {
    const by = each.class === "vulnerability" ? ignoredBy(each, rules, options) : undefined
    return by === undefined ? each : { ...each, ignoredBy: by }
  })
}

function ignoredBy(
  each: Vulnerability,
  rules: readonly IgnoreRule[],
  { ignoreUnfixed, ignoreStatuses }: IgnoreOptions,
): IgnoredBy | undefined {
  const rule = ruleFor(each, rules)
  if (rule !== undefined) return rule.by
  if (ignoreUnfixed && each.fixedVersions.length === 0) return { kind: "unfixed", source: "options" }
  return ignoreStatuses.includes(each.status) ? { kind: "status", source: "options", status: each.status } : undefined
}

/** What is left of misconfigurations and secrets when those are gone that the file names. Throws as `ignoreFindings`. */
export function withoutIgnored<F extends Finding>(findings: readonly F[], options: FileOptions): readonly F[] {
  if (!findings.some(({ class: kind }) => kind in KINDS)) return findings
  const { others } = fileRules(options)
  return findings.filter((each) => !others.some((rule) => isAbout(rule, each)))
}

/** The lists of a file, by class of finding. */
const KINDS: Readonly<Record<string, string>> = { misconfiguration: "misconfigurations", secret: "secrets" }

function isAbout({ kind, id, paths }: FileRules["others"][number], each: Finding): boolean {
  if (each.class !== "misconfiguration" && each.class !== "secret") return false
  if (kind !== "any" && kind !== KINDS[each.class]) return false
  const ids = each.class === "secret" ? [each.ruleId] : [each.id, ...each.aliases]
  return ids.includes(id) && (paths.length === 0 || paths.some((glob) => isInGlob(glob, each.place.path ?? "")))
}

function rulesOf(options: IgnoreOptions): IgnoreRule[] {
  const paths = options.vex.filter((each) => !VEX_SOURCES.has(each))
  return [...paths.flatMap((path) => parseVex(textOf(path, "vex"), path)), ...fileRules(options).vulnerabilities]
}

function fileRules({ ignoreFile, withoutLocalFiles = false }: FileOptions): FileRules {
  const file = ignoreFile ?? (withoutLocalFiles ? undefined : DEFAULT_FILES.find((name) => existsSync(name)))
  return file === undefined ? { vulnerabilities: [], others: [] } : parseIgnoreFile(textOf(file, "ignoreFile"), file)
}

function textOf(path: string, field: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new NotFound(`no such file: "${path}"`, { field })
  if (!stat.isFile() || stat.size > MAX_FILE_BYTES)
    throw new InvalidArgument(`"${path}" is no file of at most ${MAX_FILE_BYTES} bytes`, { field })
  return readFileSync(path, "utf8")
}
