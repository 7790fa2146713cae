import { readFileSync } from "node:fs"
import { rootlessUid } from "../fs/paths.ts"
import { isSingleIdMap } from "./namespaces.ts"

/** What we may do here, by where we are. */
export type Standing =
  /** Root that may mount. */
  | "root"
  /** Root of a world (world.ts) of many ids. */
  | "world"
  /** Root of a world of one id. */
  | "single-id-world"
  /** Root of a container that lets nobody mount, nor make a user namespace. */
  | "powerless"

/** Looked up once. */
export function ourStanding(): Standing {
  return (known ??= look())
}

let known: Standing | undefined

function look(): Standing {
  if (rootlessUid() !== undefined) return isSingleIdMap() ? "single-id-world" : "world"
  return hasCapability("SYS_ADMIN") ? "root" : "powerless"
}

/** capabilities(7), by their numbers. */
const NUMBERS = { SETGID: 6, SETUID: 7, NET_ADMIN: 12, SYS_CHROOT: 18, SYS_ADMIN: 21, SETFCAP: 31 } as const

/** Whether the capability is effective in this process. */
export function hasCapability(name: keyof typeof NUMBERS): boolean {
  const [, hex = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1")) ?? []
  return ((BigInt(`0x${hex}`) >> BigInt(NUMBERS[name])) & 1n) === 1n
}
