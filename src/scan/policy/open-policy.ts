import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { PermissionDenied } from "../../base/errors.ts"
import { printable } from "../../base/printable.ts"
import type { ContainerOptions } from "../../container/container.ts"
import type { Image } from "../../image/image.ts"
import type { Digest } from "../../spec/digest.ts"
import { kindsOf, rulesFor, violations, type ImageNames, type Look, type Violation } from "./check-policy.ts"
import { readPolicy, type Policy, type PolicyRule } from "./policy-file.ts"
import { SILENT_LOOK, type ScanOptions, type Scans } from "../scan.ts"

/** What was found in an image is believed for so long: data change. */
const FRESH_MS = 24 * 3_600_000
const MAX_TOLD = 5

/** Lets images and containers in, or not. */
export interface Admissions {
  /** Throws PermissionDenied with the rule's name, where the policy forbids what is in the image, or how it is run. */
  admit(image: Image, options?: ContainerOptions): Promise<void>
}

/** What a policy stands on. */
export interface PolicyDeps {
  scans(): Promise<Scans>
  root: string
  /** Whether a build of this store made the image. */
  isBuiltHere(id: Digest): Promise<boolean>
}

/** The policy of the settings; undefined where they name none: nothing is paid then. Throws as `readPolicy`. */
export async function openPolicy(deps: PolicyDeps): Promise<Admissions | undefined> {
  const policy = await readPolicy()
  if (policy === undefined) return undefined
  return {
    async admit(image, options) {
      const names = [...image.tags, ...image.repoDigests]
      const rules = rulesFor(policy.rules, await namesOf(deps, policy, image))
      if (rules.length === 0) return
      const broken = [
        ...(await ofImage(deps, policy, rules, image)),
        ...(options === undefined ? [] : await ofOptions(rules, options)),
      ]
      if (broken.length > 0) throw refusal(policy, names[0] ?? image.id, broken)
    },
  }
}

async function namesOf({ isBuiltHere }: PolicyDeps, { rules }: Policy, image: Image): Promise<ImageNames> {
  const { tags, repoDigests } = image
  const repositories = new Set(repoDigests.map((name) => name.slice(0, name.indexOf("@"))))
  const isOwn = rules.some(({ except }) => except.length > 0) && (await isBuiltHere(image.id))
  return {
    names: [...tags, ...repoDigests],
    digests: [image.id, image.manifest.digest],
    isProven: (name) => isOwn || name.includes("@") || repositories.has(name.replace(/:[^:/]*$/, "")),
  }
}

function refusal({ path }: Policy, name: string, broken: readonly Violation[]): PermissionDenied {
  const lines = broken.slice(0, MAX_TOLD).map(({ rule, found }) => `rule ${JSON.stringify(rule)}: ${printable(found)}`)
  const more = broken.length > MAX_TOLD ? `; and ${broken.length - MAX_TOLD} more` : ""
  return new PermissionDenied(`the policy "${path}" forbids ${printable(name)}: ${lines.join("; ")}${more}`, {
    hint: "mend what was found, or ask who keeps the policy",
    data: { rules: [...new Set(broken.map(({ rule }) => rule))] },
  })
}

/** How it is run: the settings alone are looked at. */
async function ofOptions(rules: readonly PolicyRule[], options: ContainerOptions): Promise<Violation[]> {
  // that it lacks a limit is not what somebody forbids by severity: only what is named
  const named = rules.filter(({ deny }) => deny.length > 0).map((rule) => ({ name: rule.name, deny: rule.deny }))
  // this file is loaded by each command of a host with settings, those of a host with a policy alone need the rules
  const [{ checkSettings }, { settingsOfOptions }] = await Promise.all([
    import("../misconfiguration/container/check-settings.ts"),
    import("../misconfiguration/container/settings-of-container.ts"),
  ])
  const findings = checkSettings(settingsOfOptions(options), "container")
  return named.flatMap(({ name, deny }) =>
    findings
      .filter(
        ({ id, aliases }) =>
          id.startsWith("CIS-5.") && (deny.includes(id) || aliases.some((alias) => deny.includes(alias))),
      )
      .map(({ id, message }) => ({ rule: name, found: `${id}: ${message}` })),
  )
}

/** What is in the image; kept for a day, by policy, image and data. */
async function ofImage(
  deps: PolicyDeps,
  policy: Policy,
  rules: readonly PolicyRule[],
  image: Image,
): Promise<Violation[]> {
  const kinds = kindsOf(rules)
  const scans = await deps.scans()
  const publisher = rules.some(({ unsigned }) => unsigned)
    ? await scans.publisher({ tags: image.tags, digests: image.repoDigests })
    : undefined
  const look =
    kinds.length === 0
      ? { findings: [] }
      : await keptLook(deps.root, [policy.text, kinds.join(), image.id, dataOf(deps.root)].join("\0"), () =>
          lookAt(scans, kinds, image),
        )
  return violations(rules, look, publisher)
}

/** Which data there are to look things up in: files are never changed in place, so that other data are other files. */
function dataOf(root: string): string {
  const directories = [join(root, "scan"), join(root, "scan", "db")]
  return directories
    .flatMap((directory) =>
      (existsSync(directory) ? readdirSync(directory).toSorted() : []).flatMap((name) => {
        const stat = statSync(join(directory, name), { bigint: true, throwIfNoEntry: false })
        return stat?.isFile() === true ? [[name, stat.ino, stat.size, stat.mtimeNs].join(" ")] : []
      }),
    )
    .join("\n")
}

/** Of the files that keep looks: another form has another name. */
const FORM = 2

async function keptLook(root: string, key: string, fresh: () => Promise<Look>): Promise<Look> {
  const directory = join(root, "scan", "policy")
  const file = join(directory, `${createHash("sha256").update(`${FORM}\0${key}`).digest("hex")}.json`)
  if (existsSync(file) && Date.now() - statSync(file).mtimeMs < FRESH_MS)
    try {
      return JSON.parse(readFileSync(file, "utf8")) as Look
    } catch {
      // cut by a crash: looked at again
    }
  const look = await fresh()
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(directory)) removeOld(join(directory, name))
  atomicWrite(file, JSON.stringify(look), { mode: 0o600 })
  return look
}

/** What nobody believes any more. */
function removeOld(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat !== undefined && Date.now() - stat.mtimeMs > FRESH_MS) rmSync(path, { force: true })
}

async function lookAt(scans: Scans, kinds: readonly string[], image: Image): Promise<Look> {
  const scanners = scans.scanners.filter((name) => kinds.includes(name))
  const options: ScanOptions = { ...SILENT_LOOK, scanners }
  await using subject = await scans.open({ kind: "image", name: image.id }, options)
  const report = await scans.scan(subject, options)
  const { vulnerabilities, misconfigurations, secrets, malware, endOfLife, found, isCut = false } = report
  // a package that nobody saw has no vulnerability that anybody knows
  const unseen = kinds.includes("vuln") ? [...found.leftOut] : []
  if (isCut) unseen.push("all but the first findings")
  return {
    findings: [
      ...vulnerabilities,
      ...misconfigurations,
      ...secrets,
      ...malware,
      ...(endOfLife === undefined ? [] : [endOfLife]),
    ],
    unseen,
  }
}
