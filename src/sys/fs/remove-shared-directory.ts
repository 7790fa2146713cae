import { existsSync, rmSync } from "node:fs"

const ROUNDS = 20

/**
 * Removes a directory out of which another process may remove files at the same time, as conmon does with its socket: at the
 * first that is gone already Bun's `rmSync` with `force` stops, and leaves the others. Safe to repeat.
 */
export function removeSharedDirectory(path: string): void {
  for (let round = 0; round < ROUNDS && existsSync(path); round++) rmSync(path, { recursive: true, force: true })
}
