import type { Scanner, ScannerName } from "./scan.ts"

/** Who looks for what; each loads when it is asked for. */
export const SCANNER_OF: Partial<Record<ScannerName, () => Promise<Scanner>>> = {
  vuln: async () => (await import("./vulnerability/scanner.ts")).vulnerabilityScanner,
  misconfig: async () => (await import("./misconfiguration/scanner.ts")).misconfigurationScanner,
  secret: async () => (await import("./secret/scanner.ts")).secretScanner,
  malware: async () => (await import("./malware/scanner.ts")).malwareScanner,
}

/** Those of this build, and licences, which are told with the packages. */
export function availableScanners(): readonly ScannerName[] {
  return [...(Object.keys(SCANNER_OF) as ScannerName[]), "license"]
}
