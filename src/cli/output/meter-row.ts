import { formatSize } from "../../base/sizes.ts"
import type { MeterLine } from "../../meter/meter.ts"

const SHORT_ID = 12

/** Names of the columns of CSV and JSON: they carry their units, and stay. */
export function meterRecord(line: MeterLine, key: string): Record<string, string | number | boolean> {
  return {
    [key]: line.key,
    ...(key === "container" ? { name: line.name } : { containers: line.containers }),
    runs: line.runs,
    seconds: rounded(line.seconds, 3),
    cpu_seconds: rounded(line.cpuSeconds, 6),
    memory_gb_seconds: rounded(line.memoryGbSeconds, 6),
    memory_is_bound: line.memoryIsBound,
    bytes_read: line.readBytes,
    bytes_written: line.writtenBytes,
    bytes_sent: line.sentBytes,
    bytes_received: line.receivedBytes,
    longest_gap_seconds: rounded(line.longestGapSeconds, 3),
  }
}

/** A row for people, and for templates. */
export function meterRow(line: MeterLine, key: string): object {
  const isContainer = key === "container"
  return {
    Key: isContainer ? line.key.slice(0, SHORT_ID) : line.key,
    ID: line.key,
    Name: line.name,
    Containers: line.containers,
    Runs: line.runs,
    Seconds: line.seconds.toFixed(1),
    CPUSeconds: line.cpuSeconds.toFixed(2),
    // no more than that
    MemoryGBSeconds: `${line.memoryIsBound && line.memoryGbSeconds > 0 ? "≤ " : ""}${line.memoryGbSeconds.toFixed(2)}`,
    Read: formatSize(line.readBytes),
    Written: formatSize(line.writtenBytes),
    Sent: formatSize(line.sentBytes),
    Received: formatSize(line.receivedBytes),
    LongestGapSeconds: line.longestGapSeconds.toFixed(1),
  }
}

/** Column titles of its fields. */
export function meterTitles(key: string): Record<string, string> {
  return {
    Key: key === "container" ? "CONTAINER ID" : key.toUpperCase(),
    ID: "ID",
    Name: "NAME",
    Containers: "CONTAINERS",
    Runs: "RUNS",
    Seconds: "SECONDS",
    CPUSeconds: "CPU SECONDS",
    MemoryGBSeconds: "MEMORY GB·S",
    Read: "READ",
    Written: "WRITTEN",
    Sent: "SENT",
    Received: "RECEIVED",
    LongestGapSeconds: "LONGEST GAP",
  }
}

/** The table for people. */
export function meterTable(key: string): string {
  const second = key === "container" ? "{{.Name}}" : "{{.Containers}}"
  return `table {{.Key}}\t${second}\t{{.Runs}}\t{{.Seconds}}\t{{.CPUSeconds}}\t{{.MemoryGBSeconds}}\t{{.Read}}\t{{.Written}}\t{{.Sent}}\t{{.Received}}`
}

/** RFC 4180, but for line ends; a text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csvLines(records: readonly Record<string, string | number | boolean>[]): string[] {
  return records.map((record) => Object.values(record).map(csvCell).join(","))
}

function csvCell(value: string | number | boolean): string {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
