import { readFileSync } from "node:fs"
import { rootlessUid } from "../fs/paths.ts"
import { isSingleIdMap } from "./namespaces.ts"

/** What we may do here, by where we are. */
export type Privilege =
  /** Root that may mount. */
  | "root"
  /** Root of rootless namespaces (namespaces.ts) with many ids. */
  | "rootless"
  /** Root of rootless namespaces of one id. */
  | "rootless-single-id"
  /** Root of a container that lets nobody mount, nor make a user namespace. */
  | "unprivileged"

/** Looked up once. */
export function ourPrivilege(): Privilege {
  return (known ??= look())
}

let known: Privilege | undefined

function look(): Privilege {
  if (rootlessUid() !== undefined) return isSingleIdMap() ? "rootless-single-id" : "rootless"
  return hasCapability("SYS_ADMIN") ? "root" : "unprivileged"
}

/** capabilities(7), by their numbers. */
const NUMBERS = { SETGID: 6, SETUID: 7, NET_ADMIN: 12, SYS_CHROOT: 18, SYS_ADMIN: 21, SETFCAP: 31 } as const

/** Whether the capability is effective in this process. */
export function hasCapability(name: keyof typeof NUMBERS): boolean {
  const [, hex = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1")) ?? []
  return ((BigInt(`0x${hex}`) >> BigInt(NUMBERS[name])) & 1n) === 1n
}
