/** Docker's builders: here there is one, which is this program, and is always there. */
import { NotFound } from "../base/errors.ts"
import { VERSION } from "../base/version.ts"
import { formatPlatform, hostPlatform } from "../spec/platform.ts"
import { flag } from "./flag.ts"

/** The name that docker gives it. */
export const BUILDER = "default"

/** Flags that all commands of `buildx` have. */
export const BUILDX_FLAGS = {
  builder: flag.choice([BUILDER], "There is one builder"),
  debug: flag.bool("Show debug messages", { short: "D" }),
}

/** What `buildx ls` and `buildx inspect` show of it. */
export function oneBuilder(): { name: string; driver: string; status: string; version: string; platforms: string } {
  const platforms = formatPlatform(hostPlatform())
  return { name: BUILDER, driver: "skiff", status: "running", version: VERSION, platforms }
}

/** Throws NotFound for another name. */
export function checkBuilder(name: string | undefined): void {
  if (name === undefined || name === BUILDER || name === "") return
  throw new NotFound(`no builder "${name}" found`, { hint: `valid: ${BUILDER}` })
}
