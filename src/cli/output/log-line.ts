import { printable } from "../../base/printable.ts"
import { shortId } from "../../base/short-id.ts"
import type { Container } from "../../container/container.ts"
import { logDetails } from "../../docker/log-details.ts"
import type { Out } from "../out.ts"
import { writeOutput } from "../terminal/standard-output.ts"
import type { NamedLine } from "./merge-logs.ts"

/** How lines are shown. */
export interface LogLineStyle {
  color: boolean
  details: boolean
  names: boolean
  noEscape: boolean
  timestamps: boolean
  out: Out
}

/** SGR numbers that are read on light and dark ground: blue, magenta, cyan, green, yellow. */
const COLOURS = [34, 35, 36, 32, 33]

/** Writes lines of these containers to the stream that they came by; of several, with the id or name before each. */
export function logLineWriter(
  containers: readonly Container[],
  style: LogLineStyle,
): (line: NamedLine) => Promise<void> {
  const heads = containers.map((container, index) => headOf(container, index, containers.length, style))
  return async ({ line: { stream, time, bytes }, log }) => {
    const stamp = style.timestamps ? `${time.toISOString()} ` : ""
    const { before = "", details = "" } = heads[log] ?? {}
    const text = `${before}${stamp}${details}`
    const line = style.noEscape ? harmless(bytes) : bytes
    await writeOutput(stream === "stdout" ? 1 : 2, text === "" ? line : Buffer.concat([Buffer.from(text), line]))
  }
}

function headOf(
  container: Container,
  index: number,
  count: number,
  { color, names, details }: LogLineStyle,
): { before: string; details: string } {
  const name = names ? container.name : count > 1 ? shortId(container.id) : ""
  // asked for by name: also into a pipe
  const shown = color && name !== "" ? `\x1b[${COLOURS[index % COLOURS.length]}m${name}\x1b[0m` : name
  const extra = details ? logDetails(container) : ""
  return { before: shown === "" ? "" : `${shown} `, details: extra === "" ? "" : `${extra} ` }
}

/** The end of a line stays one, a terminal's as well. */
function harmless(line: Uint8Array): Uint8Array {
  const [, text = "", end = ""] = /^(.*?)(\r?\n?)$/s.exec(Buffer.from(line).toString("utf8")) ?? []
  return Buffer.from(`${printable(text)}${end}`)
}
