import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ProberOptions } from "../runtime.ts"

/** Writes `process.json` for `RUNTIME exec --process`; gives its path. */
export function writeProcess({ directory, process }: ProberOptions, words: readonly string[]): string {
  const path = join(directory, "process.json")
  writeFileSync(path, JSON.stringify(process(words)), { mode: 0o600 })
  return path
}
