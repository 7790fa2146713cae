import { writeFileSync } from "node:fs"
import { hasErrno } from "../base/errors.ts"
import { UsageError } from "./errors/usage-error.ts"
import { fileFailure } from "./file-failure.ts"

/** Writes a file that a flag names; what is there is not written over. Throws UsageError. */
export function writeNewFile(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o644 })
  } catch (cause) {
    if (hasErrno(cause, "EEXIST")) throw new UsageError(`cannot write to "${path}": file exists`, { cause })
    throw new UsageError(`cannot write to "${path}": ${fileFailure(cause)}`, { cause })
  }
}
