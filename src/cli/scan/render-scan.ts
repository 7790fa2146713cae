import { readFileSync } from "node:fs"
import { InvalidArgument } from "../../base/errors.ts"
import type { ScanReport, Scans } from "../../scan/scan.ts"
import type { ScanFlags } from "./scan-flags.ts"

/** The report as flags ask for it. `columns`: of the terminal, where it goes to one. */
export async function renderScan(
  scans: Scans,
  report: ScanReport,
  flags: ScanFlags,
  columns: number | undefined,
): Promise<string> {
  const { format = "table", template } = flags
  const options = {
    listAllPackages: flags.listAllPkgs,
    withDevelopment: flags.includeDevDeps,
    showIgnored: flags.showSuppressed,
    github: githubRun(),
  }
  if (template !== undefined && (format === "template" || format === "table")) {
    const { fillTemplate } = await import("./fill-template.ts")
    return fillTemplate(templateText(template), JSON.parse(await scans.render(report, "json", options)))
  }
  if (format === "table" || format === "template") {
    const { scanTable } = await import("./scan-table.ts")
    return scanTable(report, { ...options, showLayers: flags.showLayers }, columns)
  }
  return await scans.render(report, format, options)
}

function templateText(template: string): string {
  if (!template.startsWith("@")) return template
  try {
    return readFileSync(template.slice(1), "utf8")
  } catch (cause) {
    throw new InvalidArgument(`cannot read the template "${template.slice(1)}"`, { cause })
  }
}

/** docs.github.com, default environment variables. */
function githubRun() {
  const {
    GITHUB_SHA: sha,
    GITHUB_REF: ref,
    GITHUB_JOB: job,
    GITHUB_WORKFLOW: workflow,
    GITHUB_RUN_ID: runId,
  } = process.env
  const given = Object.entries({ sha, ref, job, workflow, runId }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given)
}
