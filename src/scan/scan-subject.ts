import { join } from "node:path"
import { Unsupported } from "../base/errors.ts"
import type { ScanDeps } from "./deps.ts"
import { placeLayer } from "./place-layer.ts"
import { SEVERITIES } from "./scan.ts"
import type { Finding, ScannerName, ScanOptions, ScanReport, ScanSubject, Severity, Vulnerability } from "./scan.ts"
import { SCANNER_OF } from "./scanners.ts"

/** Those that look into files themselves. */
const WALKERS: ReadonlySet<ScannerName> = new Set(["misconfig", "secret", "malware"])

/** See `Scans.scan`. Looks one after the other: each reads the same files. */
export async function scanSubject(deps: ScanDeps, subject: ScanSubject, options: ScanOptions): Promise<ScanReport> {
  const found = subject.packages()
  const [findings, data, leftOut]: [Finding[], ScanReport["data"][number][], string[]] = [[], [], [...found.leftOut]]
  const scannerDeps = {
    dataDirectory: join(deps.root, "scan"),
    images: () => deps.images(),
    registries: () => deps.registries(),
    containers: async () => (await deps.containers()).list({ all: true }),
  }
  let isCut = false
  for (const name of options.scanners) {
    // licences are told with the packages
    if (name === "license") continue
    const load = SCANNER_OF[name]
    if (load === undefined) throw new Unsupported(`this build cannot look for "${name}"`, { field: "scanners" })
    const result = await (await load())(subject, options, scannerDeps)
    options.signal?.throwIfAborted()
    for (const finding of result.findings) findings.push(finding)
    data.push(...(result.data ?? []))
    leftOut.push(...(result.leftOut ?? []))
    isCut ||= result.isCut === true
  }
  // packages are looked for in a tree of their own
  if (options.scanners.some((name) => WALKERS.has(name))) leftOut.push(...(subject.tree?.leftOut ?? []))
  const { configWithoutSecrets, stepWithoutSecrets } = await import("./secret/config-without-secrets.ts")
  // rules quote the line that they are about
  for (const finding of findings)
    if (finding.class === "misconfiguration") finding.message = stepWithoutSecrets(finding.message)
  const { withoutIgnored } = await import("./ignore/ignore-findings.ts")
  const image = subject.image && { ...subject.image, config: configWithoutSecrets(subject.image.config) }
  const { kind, name, layers } = subject
  const { licensesOf } = await import("./licenses.ts")
  const licenses = options.scanners.includes("license") ? licensesOf(found, options.ignoredLicenses ?? []) : undefined
  return {
    ...(licenses === undefined
      ? {}
      : {
          licenses: licenses
            .filter(({ severity }) => options.severities?.includes(severity) ?? true)
            .toSorted(bySeverity),
        }),
    ...reportOf({ kind, name, layers, image }, withoutIgnored(findings, options), options),
    found,
    data,
    leftOut: [...new Set(leftOut)],
    isCut,
  }
}

function reportOf(
  {
    kind,
    name,
    image,
    layers,
  }: Pick<ScanSubject, "kind" | "name" | "layers"> & { image: ScanSubject["image"] | undefined },
  findings: readonly Finding[],
  { scanners, severities }: ScanOptions,
): Omit<ScanReport, "found" | "data" | "leftOut" | "isCut"> {
  const isAsked = ({ severity }: { severity: Severity }) => severities === undefined || severities.includes(severity)
  const of = <C extends Finding["class"]>(wanted: C) =>
    findings.filter((each): each is Extract<Finding, { class: C }> => each.class === wanted && isAsked(each))
  const vulnerabilities = of("vulnerability")
  // which severities are asked for changes nothing of what is no more mended
  const endOfLife = findings.find((each) => each.class === "end-of-life")
  return {
    createdAt: new Date().toISOString(),
    subject: {
      kind,
      name,
      ...(image === undefined ? {} : { image }),
      layers: layers.map(placeLayer),
    },
    scanners,
    vulnerabilities: vulnerabilities.filter(({ ignoredBy }) => ignoredBy === undefined).toSorted(byRisk),
    ignored: vulnerabilities.filter(({ ignoredBy }) => ignoredBy !== undefined),
    misconfigurations: of("misconfiguration").toSorted(bySeverity),
    secrets: of("secret").toSorted(bySeverity),
    malware: of("malware").toSorted(bySeverity),
    ...(endOfLife === undefined ? {} : { endOfLife }),
  }
}

function bySeverity(a: { severity: Severity }, b: { severity: Severity }): number {
  return SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity)
}

function byRisk(a: Vulnerability, b: Vulnerability): number {
  return (b.risk?.score ?? 0) - (a.risk?.score ?? 0) || bySeverity(a, b)
}
