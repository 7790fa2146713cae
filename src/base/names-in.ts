import { readdirSync } from "node:fs"
import { hasErrno } from "./errors.ts"

/** Names of what a folder holds; none when the folder is not there. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return []
    throw error
  }
}
