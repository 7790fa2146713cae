import { accessSync, constants } from "node:fs"

/** Whether who asks may read and write the device. */
export function canOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}
