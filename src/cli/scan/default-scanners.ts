import type { ScannerName, ScanTarget } from "../../scan/scan.ts"
import type { ScanFlags } from "./scan-flags.ts"

/** As Trivy: packages' vulnerabilities and secrets; where packages alone are asked for, nothing is looked for. */
export function defaultScanners(
  { kind }: ScanTarget,
  { format, profile }: ScanFlags,
  available: readonly ScannerName[],
): readonly ScannerName[] {
  if (LISTS.has(format ?? "")) return []
  // a standard's rules are about all of it
  if (profile !== undefined) return available.filter((name) => name !== "license")
  const wanted: readonly ScannerName[] = kind === "sbom" ? ["vuln"] : ["vuln", "secret", "malware"]
  return wanted.filter((name) => available.includes(name))
}

/** Forms that list packages. */
const LISTS: ReadonlySet<string> = new Set(["cyclonedx", "spdx", "spdx-json", "github"])
