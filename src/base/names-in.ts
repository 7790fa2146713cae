import { readdirSync } from "node:fs"
import { hasErrno } from "./errors.ts"

/** Names of what a directory holds; none when the directory is not there. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return []
    throw error
  }
}
