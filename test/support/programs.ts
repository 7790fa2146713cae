/** Programs of the host that tests start. scripts/packages.sh installs them all. */
import { findProgram } from "../../src/sys/host.ts"

/** Throws at once, by name, where a test would otherwise wait for the answer of a program that is not there. */
export function needPrograms(...names: readonly string[]): void {
  const lacking = names.filter((name) => findProgram(name) === undefined)
  if (lacking.length > 0)
    throw new Error(`not installed: ${lacking.join(", ")}; sh scripts/packages.sh test installs what the tests use`)
}
