import { join } from "node:path"
import type { ScanDeps } from "./deps.ts"
import type { Scans } from "./scan.ts"
import { availableScanners } from "./scanners.ts"

/** Opens nothing, looks at nothing before it is asked. */
export function openScans(deps: ScanDeps): Scans {
  return {
    data: async () => (await import("./vulnerability/data.ts")).openScanData(join(deps.root, "scan")),
    open: async (target, options) => (await import("./subject/open-subject.ts")).openSubject(deps, target, options),
    setWatched: async (isWatched) =>
      (await import("./watch/watch-state.ts")).setWatched(join(deps.root, "scan"), isWatched),
    rescan: async (signal) => (await import("./watch/rescan.ts")).rescan(deps, signal),
    publisher: async (image) => (await import("./publisher.ts")).publisherOf(await deps.registries(), image),
    checkFile: async (name, text) => (await import("./misconfiguration/check-file.ts")).checkNamedFile(name, text),
    comply: async (profile, input) => (await import("./compliance/compliance.ts")).checkCompliance(profile, input),
    compare: async (before, after) => (await import("./rank/compare-reports.ts")).compareReports(before, after),
    scanners: availableScanners(),
    render: async (report, format, options) =>
      (await import("./report/render.ts")).renderReport(report, format, options),
    scan: async (subject, options) => (await import("./scan-subject.ts")).scanSubject(deps, subject, options),
  }
}
