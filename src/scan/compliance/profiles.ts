import { CONTAINER_RULES } from "../misconfiguration/container/container-rules.ts"
import { evidenceOf } from "./evidence.ts"
import type { ComplianceInput, ProfileName, ScannerName, Verdict } from "../scan.ts"

/** A rule of a profile, by its document's number. */
export interface ComplianceRule {
  id: string
  title: string
  check(input: ComplianceInput): Verdict
}

/** A document and those of its rules that an image or a container has to do with. */
export interface Profile {
  standard: string
  rules: readonly ComplianceRule[]
}

const MONTH_MS = 30 * 86_400_000

const unknown = (why: string): Verdict => ({ status: "not-checkable", evidence: [why] })
const judged = (faults: readonly string[], good: string): Verdict =>
  faults.length === 0 ? { status: "pass", evidence: [good] } : { status: "fail", evidence: faults }

/** A verdict that needs a look; where it was not asked for, nobody knows. */
function after(scanner: ScannerName, check: (input: ComplianceInput) => Verdict): (input: ComplianceInput) => Verdict {
  return (input) =>
    input.report.scanners.includes(scanner) ? check(input) : unknown(`the look "${scanner}" was not part of this scan`)
}

/** No finding of these ids, or of what they are called besides. */
function without(ids: readonly string[], good: string): (input: ComplianceInput) => Verdict {
  return after("misconfig", ({ report }) => {
    const found = report.misconfigurations.filter(
      ({ id, aliases }) => ids.includes(id) || aliases.some((alias) => ids.includes(alias)),
    )
    return judged(evidenceOf(found), good)
  })
}

/** The same on how a container is run: of an image nobody knows. */
function ofContainer(ids: readonly string[], good: string): (input: ComplianceInput) => Verdict {
  const check = without(ids, good)
  return (input) =>
    input.report.subject.kind === "container"
      ? check(input)
      : unknown("it is about how a container is run: scan the container")
}

const secrets = after("secret", ({ report }) =>
  judged(evidenceOf(report.secrets), "no secret in files, variables, history or hidden layers"),
)
const malware = after("malware", ({ report }) =>
  judged(evidenceOf(report.malware), "no known malware, and all programs are those of their packages"),
)
const ranked = after("vuln", ({ report }) => ({
  status: "pass",
  evidence: [
    `${report.vulnerabilities.length} vulnerabilities found and ranked; data: ${report.data.map(({ name, updatedAt }) => `${name} of ${updatedAt ?? "an unknown day"}`).join(", ") || "none"}`,
  ],
}))
const patched = after("vuln", ({ report }) => {
  const now = Date.parse(report.createdAt)
  const old = report.vulnerabilities.filter(
    ({ severity, fixedVersions, publishedAt }) =>
      (severity === "critical" || severity === "high") &&
      fixedVersions.length > 0 &&
      (publishedAt === undefined || now - Date.parse(publishedAt) > MONTH_MS),
  )
  const end = report.endOfLife === undefined ? [] : [report.endOfLife.message]
  const shown = old.map(({ id, severity, package: { name, version }, fixedVersions }) => ({
    id,
    severity,
    message: `${name} ${version}, fixed in ${fixedVersions[0] ?? ""}`,
  }))
  return judged(
    [...end, ...evidenceOf(shown)],
    "no critical or high vulnerability is known for more than a month with a fix",
  )
})
const leastPrivilege = without(
  ["CIS-4.1", "CIS-4.8", "CIS-5.4", "CIS-5.5", "CIS-5.16", "CIS-5.32", "SKF013"],
  "an ordinary user, no odd set-id programs, no capabilities that give the host away",
)
const services = without(
  ["CIS-4.3", "SKF001", "SKF004", "SKF008", "SKF009"],
  "no server or tool that the service does not need",
)
const clearText = without(["SKF004", "SKF011"], "no port of a clear-text administration is exposed")
const scanned = (input: ComplianceInput): Verdict => ({
  status: "pass",
  evidence: [
    `scanned at ${input.report.createdAt} for ${input.report.scanners.join(", ")}; scan again when it changes, and every three months at least`,
  ],
})
const signed = ({ publisher }: ComplianceInput): Verdict => {
  if (publisher === undefined || publisher.trust === "unknown")
    return unknown(publisher?.evidence ?? "nothing is known of who published it")
  return { status: publisher.trust === "signed" ? "pass" : "fail", evidence: [publisher.evidence] }
}
const readOnlyRoot = ofContainer(["CIS-5.13"], "the root file system is read-only")
const not = (why: string) => () => unknown(why)

const PCI: readonly ComplianceRule[] = [
  { id: "2.2.4", title: "only needed services, programs and functions", check: services },
  {
    id: "2.2.6",
    title: "security parameters prevent misuse",
    check: without(
      ["CIS-5.2", "CIS-5.3", "CIS-5.5", "CIS-5.22", "CIS-5.26", "SKF003", "SKF005", "SKF006", "SKF012"],
      "no security parameter is turned off",
    ),
  },
  { id: "2.2.7", title: "administration is encrypted", check: clearText },
  {
    id: "4.2.1",
    title: "card data is encrypted on public networks",
    check: not("it depends on what the application sends: no scan sees that"),
  },
  { id: "5.2", title: "malware is prevented or found", check: malware },
  { id: "6.3.1", title: "vulnerabilities are found and ranked", check: ranked },
  {
    id: "6.3.2",
    title: "an inventory of software",
    check: ({ report }) =>
      judged(
        report.found.packages.length > 0 ? [] : ["no package is known"],
        `${report.found.packages.length} packages are listed; an SBOM can be written`,
      ),
  },
  { id: "6.3.3", title: "critical patches within a month", check: patched },
  { id: "6.3.2 (origin)", title: "third-party software comes from whom it should", check: signed },
  { id: "7.2", title: "least privilege", check: leastPrivilege },
  { id: "8.3.2", title: "no readable secrets", check: secrets },
  {
    id: "10.2",
    title: "audit logs are on",
    check: not("it is about the engine and the host: see the audit log, and what its retention is"),
  },
  { id: "11.3", title: "scans every three months, and after changes", check: scanned },
]

const HIPAA: readonly ComplianceRule[] = [
  { id: "164.308(a)(1)(ii)(A)", title: "risk analysis", check: ranked },
  { id: "164.308(a)(1)(ii)(B)", title: "risk management", check: patched },
  { id: "164.308(a)(5)(ii)(B)", title: "protection from malicious software", check: malware },
  { id: "164.312(a)(1)", title: "access control", check: leastPrivilege },
  {
    id: "164.312(a)(2)(iv)",
    title: "encryption at rest",
    check: not("whether volumes lie on encrypted disks is the host's matter"),
  },
  { id: "164.312(b)", title: "audit controls", check: not("it is about the engine and the host: see the audit log") },
  { id: "164.312(c)(1)", title: "integrity: the image is signed", check: signed },
  { id: "164.312(c)(2)", title: "integrity: files cannot be changed", check: readOnlyRoot },
  { id: "164.312(d)", title: "authentication: no shared or readable secrets", check: secrets },
  { id: "164.312(e)(1)", title: "transmission security", check: clearText },
]

const GDPR: readonly ComplianceRule[] = [
  {
    id: "5(1)(e)",
    title: "data is kept no longer than needed",
    check: not("how long logs and volumes are kept is set where the container runs"),
  },
  { id: "5(1)(f)", title: "integrity and confidentiality: no readable secrets", check: secrets },
  { id: "25", title: "protection by design and by default", check: leastPrivilege },
  { id: "28", title: "processors: who made the software is known", check: signed },
  {
    id: "32(1)(a)",
    title: "encryption and pseudonyms",
    check: not("what the application stores and sends is seen by no scan"),
  },
  { id: "32(1)(b)", title: "confidentiality, integrity, availability: known holes are closed", check: patched },
  { id: "32(1)(b) (malware)", title: "integrity: no malware, no changed programs", check: malware },
  { id: "32(1)(c)", title: "data can be restored", check: not("backups of volumes are the operator's matter") },
  { id: "32(1)(d)", title: "measures are tested again and again", check: scanned },
]

const CIS: readonly ComplianceRule[] = [
  { id: "4.1", title: "a user for the container", check: without(["CIS-4.1"], "an ordinary user") },
  { id: "4.2", title: "trusted base images", check: signed },
  {
    id: "4.3",
    title: "no unnecessary packages",
    check: without(["CIS-4.3"], "no compiler, debugger, server of administration"),
  },
  { id: "4.4", title: "scanned and rebuilt with patches", check: patched },
  { id: "4.5", title: "content trust is on", check: signed },
  { id: "4.6", title: "HEALTHCHECK", check: without(["CIS-4.6"], "the image has a health check") },
  { id: "4.7", title: "no update alone", check: without(["CIS-4.7"], "no update alone in the history") },
  { id: "4.8", title: "no set-id programs", check: without(["CIS-4.8"], "no program with set-id bits") },
  { id: "4.9", title: "COPY instead of ADD", check: without(["CIS-4.9"], "no ADD of a URL in the history") },
  {
    id: "4.10",
    title: "no secrets in the image",
    check: (input) => both(without(["CIS-4.10"], "no variable of such a name")(input), secrets(input)),
  },
  { id: "4.11", title: "only verified packages", check: malware },
  { id: "4.12", title: "signed artifacts", check: signed },
  ...CONTAINER_RULES.filter(({ id }) => id.startsWith("CIS-5.")).map(({ id, title }) => ({
    id: id.slice("CIS-".length),
    title: `not: ${title}`,
    check: ofContainer([id], "the container is as it should be"),
  })),
  { id: "5.19", title: "ulimits", check: not("whether the engine's limits fit is known to who runs it") },
  { id: "5.23", title: "no privileged exec", check: not("what is run later is in the audit log") },
  { id: "5.24", title: "no exec as root", check: not("what is run later is in the audit log") },
]

function both(a: Verdict, b: Verdict): Verdict {
  const order = ["fail", "not-checkable", "pass"] as const
  const status = order.find((one) => a.status === one || b.status === one) ?? "pass"
  return { status, evidence: [a, b].filter((one) => one.status === status).flatMap(({ evidence }) => evidence) }
}

/** By name. */
export const RULES_OF: Readonly<Record<ProfileName, Profile>> = {
  "pci-dss": { standard: "PCI DSS 4.0.1", rules: PCI },
  hipaa: { standard: "HIPAA Security Rule, 45 CFR 164", rules: HIPAA },
  gdpr: { standard: "GDPR, Regulation (EU) 2016/679", rules: GDPR },
  cis: { standard: "CIS Docker Benchmark 1.6, sections 4 and 5", rules: CIS },
}
