import { accessSync, constants, readdirSync } from "node:fs"
import { join } from "node:path"

/** A program that kubectl would run for `kubectl NAME`. */
export interface Plugin {
  name: string
  path: string
  /** Why kubectl would not run it. */
  warning?: string
}

/** In the order of the directories of `path`; each directory is looked at once. */
export function findPlugins(path: string): Plugin[] {
  const found: Plugin[] = []
  for (const directory of new Set(path.split(":").filter((one) => one.trim() !== "")))
    for (const name of namesIn(directory)) {
      const own = join(directory, name)
      const earlier = found.find((one) => one.name === name)
      const warning = !isExecutable(own)
        ? `${own} identified as a kubectl plugin, but it is not executable`
        : earlier && `${own} is overshadowed by a similarly named plugin: ${earlier.path}`
      found.push({ name, path: own, ...(warning !== undefined && { warning }) })
    }
  return found
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.name.startsWith("kubectl-") && !entry.isDirectory())
      .map(({ name }) => name)
      .toSorted()
  } catch {
    return [] // a PATH names what is not there
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
