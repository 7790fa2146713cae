import { readFileSync } from "node:fs"

const ERROR = /^\(\d+\.\d+\)\s+(?:\d+:\s+)?Error \([^)]*\): (.*)$/

/** The first error in a log of CRIU's; without one, the runtime's last line. */
export function reason(logFile: string, stderr: string): string {
  const last = stderr.trim().split("\n").at(-1) ?? ""
  // runc logs by logrus
  const said = /msg="((?:[^"\\]|\\.)*)"/.exec(last)?.[1] ?? last
  let text: string
  try {
    text = readFileSync(logFile, "utf8")
  } catch {
    return said
  }
  for (const line of text.split("\n")) {
    const found = ERROR.exec(line)?.[1]
    if (found !== undefined) return found
  }
  return said
}
