import { formatSize } from "../../base/sizes.ts"
import type { DatabaseInfo } from "../../scan/scan.ts"
import type { Out } from "../out.ts"

/** What people want to know of a vulnerability database, or all of it as JSON. */
export function writeDatabaseInfo(out: Out, info: DatabaseInfo, format: string = "table"): void {
  if (format === "json") return out.line(JSON.stringify(info, undefined, 2))
  out.line(`Database: ${info.name}, version ${info.version ?? "unknown"}`)
  out.line(`Path:     ${info.path}`)
  out.line(`Size:     ${formatSize(info.sizeBytes)}`)
  out.line(
    `Made:     ${info.updatedAt ?? "it does not say"}${info.ageDays === undefined ? "" : ` (${daysAgo(info.ageDays)})`}`,
  )
  out.line(`Sources:  ${info.sources.length}`)
}

function daysAgo(days: number): string {
  if (days === 0) return "today"
  return days === 1 ? "1 day ago" : `${days} days ago`
}
