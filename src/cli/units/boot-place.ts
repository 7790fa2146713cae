import { resolve } from "node:path"
import { ownCommand } from "../../sys/host.ts"
import type { Globals } from "../command.ts"
import type { BootPlace } from "./install-boot.ts"

/** Where this call installs to: the same store is meant at boot as now. */
export function bootPlace({ root, runroot, runtime }: Globals, prefix = "/"): BootPlace {
  const flags = { root, runroot, runtime }
  const given = Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]))
  return { prefix: resolve(prefix), isRoot: process.getuid?.() === 0, skiff: [...ownCommand(), ...given] }
}
