/** Directories of unit tests. */
import { afterAll, onTestFinished } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A new directory, that goes with the test that makes it, or else with the file. */
export function tempDirectory(prefix: string): string {
  const path = mkdtempSync(join(tmpdir(), prefix))
  const remove = () => rmSync(path, { recursive: true, force: true })
  try {
    onTestFinished(remove)
  } catch {
    afterAll(remove)
  }
  return path
}
