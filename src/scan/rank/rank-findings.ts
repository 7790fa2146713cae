import type { ContainerState } from "../../container/container.ts"
import type { Finding, ScannerDeps, ScanSubject, Severity, Vulnerability } from "../scan.ts"

/** How exposed what was looked at is, on this machine. */
export interface Exposure {
  /** Names of the containers of it that run. */
  running: readonly string[]
  /** Of those, which are reached from outside: `web on port 8080`. */
  published: readonly string[]
  runsAsRoot: boolean
}

const BASE: Record<Severity, number> = { critical: 50, high: 35, medium: 18, low: 6, unknown: 10 }
const SEVERE = 0.1

/** Gives each vulnerability that counts its risk: severity × exposure, with the reasons. Changes nothing else. */
export async function rankFindings<F extends Finding>(
  findings: readonly F[],
  subject: ScanSubject,
  deps: Pick<ScannerDeps, "containers">,
): Promise<F[]> {
  const exposure = await exposureOf(subject, deps)
  return findings.map((each) => (each.class === "vulnerability" ? { ...each, risk: riskOf(each, exposure) } : each))
}

/**
 * 0 to 100: points of the severity, more of what is being exploited or likely to be, then less of what does not run, more of what
 * is reached from outside or is root.
 */
export function riskOf(vulnerability: Vulnerability, exposure: Exposure): { score: number; reasons: string[] } {
  const { severity, severitySource, knownExploited, epss, fixedVersions } = vulnerability
  const reasons = [`${severity}${severitySource === undefined ? "" : ` (${severitySource})`}`]
  let score = BASE[severity]
  if (knownExploited !== undefined) {
    score += 35
    reasons.push(
      `exploited since ${knownExploited.addedOn} (CISA KEV)${knownExploited.isRansomware ? ", by ransomware too" : ""}`,
    )
  } else if (epss !== undefined) {
    score += Math.round(25 * epss.score)
    if (epss.score >= SEVERE)
      reasons.push(`exploited within 30 days with probability ${Math.round(epss.score * 100)} % (EPSS)`)
  }
  let factor = 0.8
  if (exposure.running.length > 0) {
    factor = 1
    reasons.push(`runs: ${some(exposure.running)}`)
  }
  if (exposure.published.length > 0) {
    factor = 1.2
    reasons.push(`reached from outside: ${some(exposure.published)}`)
  }
  if (exposure.runsAsRoot) {
    factor += 0.1
    reasons.push("runs as root")
  }
  if (fixedVersions.length > 0) reasons.push(`fixed in ${fixedVersions.join(", ")}`)
  return { score: Math.min(100, Math.round(score * factor)), reasons }
}

function some(names: readonly string[]): string {
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`
}

async function exposureOf(
  { kind, image, name }: ScanSubject,
  deps: Pick<ScannerDeps, "containers">,
): Promise<Exposure> {
  const runsAsRoot = image !== undefined && isRoot((image.config as { config?: { User?: unknown } }).config?.User)
  if (image === undefined) return { running: [], published: [], runsAsRoot }
  const all = await deps.containers()
  const running = all.filter(
    (each) =>
      each.imageId === image.id &&
      isRunning(each.state) &&
      (kind !== "container" || each.name === name || each.id === name),
  )
  return {
    running: running.map((each) => each.name),
    published: running.flatMap((each) =>
      each.options.ports.flatMap(({ hostAddress, hostPort }) =>
        hostAddress !== undefined && /^127\.|^::1$/.test(hostAddress) ? [] : [`${each.name} on port ${hostPort}`],
      ),
    ),
    runsAsRoot,
  }
}

function isRunning({ status }: ContainerState): boolean {
  return status === "running"
}

function isRoot(user: unknown): boolean {
  return typeof user !== "string" || /^(?:root|0)?(?::|$)/.test(user)
}
