import { alignColumns } from "./columns.ts"
import { flag } from "../flag.ts"
import type { Out } from "../out.ts"

/** `--format` and `--json` of lists of mounts. */
export const MOUNT_FORMAT_FLAGS = {
  format: flag.choice(["json", ""], "Print the mounted ones in specified format (json)"),
  json: flag.bool("Print JSON"),
}

/** What is mounted where. */
export interface MountRow {
  id: string
  names: readonly string[]
  mountPoint: string
}

/** Prints what is mounted: podman's lines of name and path, or its JSON. */
export function printMounts(
  out: Out,
  rows: readonly MountRow[],
  { format, json }: { format: string | undefined; json: boolean },
  key: "Names" | "Repositories" = "Names",
): void {
  if (json || format === "json")
    return out.json(rows.map(({ id, names, mountPoint }) => ({ id, [key]: names, mountpoint: mountPoint })))
  const lines = rows.map(({ id, names, mountPoint }) => `${names[0] ?? id}\t${mountPoint}`)
  for (const line of alignColumns(lines)) out.line(line)
}
