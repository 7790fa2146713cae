/** Tests of what only root can do: mounts, devices, files of other owners. An ordinary user skips them, and is told so. */
import { describe, test } from "bun:test"

const reason = process.getuid?.() === 0 ? undefined : "needs root"

export const testAsRoot = test.skipIf(reason !== undefined)
export const describeAsRoot = describe.skipIf(reason !== undefined)

/** Says why the tests of this file, or part of them, are skipped. */
export function tellSkipped(what: string): void {
  if (reason !== undefined) console.log(`skipped: ${what}: ${reason}`)
}
