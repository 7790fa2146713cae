import { existsSync, readFileSync, statSync } from "node:fs"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import { parseYaml } from "../../sys/yaml.ts"
import type { Flag } from "../flag.ts"
import { SCAN_FLAGS, type ScanFlags } from "./scan-flags.ts"

const DEFAULT_FILE = "trivy.yaml"
const MAX_BYTES = 1024 ** 2

/** `words` are parted by commas on the line. */
type Kind = "text" | "words" | "list" | "bool"

/** Trivy's keys (its docs, "Config file"), the flag that says the same, and how its value is written there. */
const KEYS: Readonly<Record<string, readonly [flag: keyof ScanFlags, kind: Kind]>> = {
  format: ["format", "text"],
  output: ["output", "text"],
  template: ["template", "text"],
  severity: ["severity", "words"],
  "exit-code": ["exitCode", "text"],
  "exit-on-eol": ["exitOnEol", "text"],
  ignorefile: ["ignorefile", "text"],
  "list-all-pkgs": ["listAllPkgs", "bool"],
  quiet: ["quiet", "bool"],
  debug: ["debug", "bool"],
  insecure: ["insecure", "bool"],
  timeout: ["timeout", "text"],
  "cache.dir": ["cacheDir", "text"],
  "cache-dir": ["cacheDir", "text"],
  "scan.scanners": ["scanners", "words"],
  "scan.security-checks": ["scanners", "words"],
  "scan.skip-dirs": ["skipDirs", "list"],
  "scan.skip-files": ["skipFiles", "list"],
  "scan.offline": ["offlineScan", "bool"],
  "scan.show-suppressed": ["showSuppressed", "bool"],
  "pkg.types": ["pkgTypes", "words"],
  "pkg.include-dev-deps": ["includeDevDeps", "bool"],
  "vulnerability.type": ["pkgTypes", "words"],
  "vulnerability.ignore-unfixed": ["ignoreUnfixed", "bool"],
  "vulnerability.ignore-status": ["ignoreStatus", "words"],
  "vulnerability.vex": ["vex", "list"],
  "image.input": ["input", "text"],
  "image.platform": ["platform", "text"],
  "image.source": ["imageSrc", "words"],
  "secret.config": ["secretConfig", "text"],
  "license.ignored": ["ignoredLicenses", "list"],
  "registry.username": ["username", "text"],
  "registry.password": ["password", "text"],
  "db.skip-update": ["skipDbUpdate", "bool"],
  "db.repository": ["dbRepository", "list"],
}

/**
 * Flags that are taken from a file that was named alone: whoever made the directory that is looked at, which is often the working directory,
 * must not say what is written where, whom this user's database comes from, and that TLS is not checked.
 */
const NAMED_ALONE: ReadonlySet<keyof ScanFlags> = new Set(["output", "cacheDir", "dbRepository", "insecure"])

/** Keys that change nothing here, as the flags of these names. */
const IDLE =
  /^(?:db\.(?:no-progress|java-.*)|scan\.(?:slow|parallel|disable-telemetry|skip-version-check|rekor-url)|rego\.trace|report|dependency-tree|license\.(?:full|confidence-level))$/

/**
 * The flags with what a file of Trivy's form says where the line says nothing: that of `--config`, or `trivy.yaml` of the working directory, as far as a
 * stranger's may. Keys that nothing here does are told of by `warn`; where the file was named they are refused. Throws NotFound, InvalidArgument.
 */
export function withTrivyConfig(flags: ScanFlags, named: string | undefined, warn: (what: string) => void): ScanFlags {
  if (named === undefined && !existsSync(DEFAULT_FILE)) return flags
  const path = named ?? DEFAULT_FILE
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new NotFound(`no such file: "${path}"`)
  if (!stat.isFile() || stat.size > MAX_BYTES)
    throw new InvalidArgument(`"${path}" is no file of at most ${MAX_BYTES} bytes`)
  const merged: Record<string, unknown> = { ...flags }
  const unknown: string[] = []
  const unnamed: string[] = []
  for (const [key, value] of leavesOf(documentOf(path), path)) {
    const known = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined
    if (known === undefined) {
      if (!IDLE.test(key) && !isEmpty(value)) unknown.push(key)
      continue
    }
    const [flag, kind] = known
    if (!isUnset(flag, flags[flag]) || isEmpty(value)) continue
    if (named === undefined && NAMED_ALONE.has(flag)) unnamed.push(key)
    else merged[flag] = read(flag, value, kind, `${path}: ${key}`)
  }
  if (unknown.length > 0) {
    const what = `"${path}" says what nothing here does: ${unknown.join(", ")}`
    if (named !== undefined) throw new InvalidArgument(what, { hint: "leave it out there" })
    warn(what)
  }
  if (unnamed.length > 0) warn(`"${path}" says what only a file of --config may: ${unnamed.join(", ")}`)
  return merged as ScanFlags
}

function documentOf(path: string): unknown {
  try {
    return parseYaml(readFileSync(path, "utf8"))
  } catch (cause) {
    throw new InvalidArgument(`"${path}" is no YAML`, { cause })
  }
}

/** Two levels, as Trivy has them. */
function* leavesOf(document: unknown, path: string): Generator<[key: string, value: unknown]> {
  if (document === null || document === undefined) return
  if (typeof document !== "object" || Array.isArray(document)) throw new InvalidArgument(`"${path}" has no keys`)
  for (const [key, value] of Object.entries(document))
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      for (const [inner, leaf] of Object.entries(value)) yield [`${key}.${inner}`, leaf]
    else yield [key, value]
}

function isUnset(flag: keyof ScanFlags, value: unknown): boolean {
  return value === undefined || value === false || isEmpty(value) || (flag === "format" && value === "table")
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0)
}

function read(flag: keyof ScanFlags, value: unknown, kind: Kind, called: string): unknown {
  if (kind === "bool") {
    if (typeof value !== "boolean") throw new InvalidArgument(`${called} is not true or false`)
    return value
  }
  const list = (Array.isArray(value) ? value : [value]).map(String)
  if (kind === "list") return list
  try {
    // as on the line
    return (SCAN_FLAGS[flag] as Flag<unknown>).read(kind === "words" ? list.join(",") : String(value), undefined)
  } catch (cause) {
    throw new InvalidArgument(`${called}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
