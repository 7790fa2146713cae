import { existsSync, readFileSync } from "node:fs"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import { readSettings, settingsFile } from "../../base/settings-file.ts"
import { SEVERITIES, type Severity } from "../scan.ts"

/** What a rule is about. */
const KINDS = ["vuln", "misconfig", "secret", "malware"] as const
/** One of them. */
export type PolicyKind = (typeof KINDS)[number]

/** What is not let in, by its name. */
export interface PolicyRule {
  name: string
  /** Ids of findings, by any of their names: `CIS-5.5`, `DS002`, `CVE-2024-1`. */
  deny: readonly string[]
  /** Of this severity or a worse one; undefined: none for its severity. */
  severity?: Severity
  kinds: readonly PolicyKind[]
  /** Only vulnerabilities that something fixes. */
  fixable: boolean
  /** Images that no signature is asked of by the host's trust policy. */
  unsigned: boolean
  /** Patterns of names, `*` is anything: these alone, and none of those. */
  images: readonly string[]
  except: readonly string[]
}

/** A policy as its file says it. */
export interface Policy {
  path: string
  /** The file's bytes: other bytes are another policy. */
  text: string
  rules: readonly PolicyRule[]
}

const EXPECTED = "expected [[rule]] tables with a name, and deny, severity or unsigned"

/** The policy that `[scan] policy` of the settings names; undefined where it names none. Throws InvalidArgument, NotFound. */
export async function readPolicy(path = settingsFile()): Promise<Policy | undefined> {
  const { policy, ...more } = await readSettings("scan", path)
  const [unknown] = Object.keys(more)
  if (unknown !== undefined)
    throw new InvalidArgument(`"${path}" has the unknown key "scan.${unknown}"`, { hint: { valid: ["scan.policy"] } })
  if (policy === undefined) return undefined
  if (typeof policy !== "string" || !policy.startsWith("/"))
    throw new InvalidArgument(`"${path}": scan.policy is no absolute path`, {
      hint: 'expected policy = "/etc/skiff/policy.toml"',
    })
  // who asks for a policy is not to run without it
  if (!existsSync(policy)) throw new NotFound(`no such policy: "${policy}", which scan.policy of "${path}" names`)
  const text = readFileSync(policy, "utf8")
  return { path: policy, text, rules: await parsePolicy(text, policy) }
}

/** Throws InvalidArgument with the file's name. */
export async function parsePolicy(text: string, path: string): Promise<PolicyRule[]> {
  const { parse } = await import("smol-toml")
  let document: Record<string, unknown>
  try {
    document = parse(text)
  } catch (cause) {
    throw new InvalidArgument(
      `"${path}" is not TOML: ${cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : ""}`,
      { cause },
    )
  }
  const { rule: rules = [], ...more } = document
  if (Object.keys(more).length > 0 || !Array.isArray(rules))
    throw new InvalidArgument(`"${path}" is no policy`, { hint: EXPECTED })
  return rules.map((rule: unknown, index) => ruleOf(rule as Record<string, unknown>, `"${path}", rule ${index + 1}`))
}

function ruleOf(rule: Record<string, unknown>, where: string): PolicyRule {
  const { name, deny, severity, kinds, fixable = false, unsigned = false, images, except, ...more } = rule
  const [unknown] = Object.keys(more)
  if (unknown !== undefined) throw new InvalidArgument(`${where} has the unknown key "${unknown}"`, { hint: EXPECTED })
  if (typeof name !== "string" || name === "") throw new InvalidArgument(`${where} has no name`, { hint: EXPECTED })
  const least = SEVERITIES.find((one) => one === severity)
  if (severity !== undefined && least === undefined)
    throw new InvalidArgument(`${where}: severity is ${JSON.stringify(severity)}`, { hint: { valid: SEVERITIES } })
  if (typeof fixable !== "boolean" || typeof unsigned !== "boolean")
    throw new InvalidArgument(`${where}: fixable and unsigned are true or false`)
  const ids = words(deny, `${where}: deny`)
  if (ids.length === 0 && least === undefined && !unsigned)
    throw new InvalidArgument(`${where} forbids nothing`, { hint: EXPECTED })
  const wanted = words(kinds, `${where}: kinds`).map((kind) => {
    const found = KINDS.find((one) => one === kind)
    if (found === undefined)
      throw new InvalidArgument(`${where}: kinds has ${JSON.stringify(kind)}`, { hint: { valid: KINDS } })
    return found
  })
  return {
    name,
    deny: ids,
    ...(least === undefined ? {} : { severity: least }),
    kinds: wanted.length > 0 ? wanted : defaultKinds(ids, least),
    fixable,
    unsigned,
    images: words(images, `${where}: images`),
    except: words(except, `${where}: except`),
  }
}

function words(value: unknown, where: string): string[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.some((word) => typeof word !== "string"))
    throw new InvalidArgument(`${where} is no list of texts`)
  return value as string[]
}

/** Looks that need no more than what the rule asks for. */
function defaultKinds(ids: readonly string[], least: Severity | undefined): PolicyKind[] {
  if (least !== undefined) return [...KINDS]
  return [...new Set(ids.map(kindOf))]
}

function kindOf(id: string): PolicyKind {
  if (/^(?:CVE|GHSA|RHSA|DSA|USN|OSV|GO|PYSEC|RUSTSEC)-/.test(id)) return "vuln"
  if (/^(?:CIS-|DS-?\d|SKF\d|AVD-|KSV)/.test(id)) return "misconfig"
  return /^(?:eicar|modified-package-file|setid-added|setuid-added)$/.test(id) ? "malware" : "secret"
}
