/** Names in the kernel that belong to one store. */
export interface KernelNames {
  /** The default bridge. */
  bridge: string
  /** nftables table of family inet. */
  table: string
  /** Written on the bridge: says whose it is, to people (`ip link`) and to `reapBridges`. */
  alias: string
}

/** Text before the run root in an alias. */
export const ALIAS_PREFIX = "skiff "

/**
 * `skiff0` and `skiff` for the machine's own store, and in a user's own namespace; names with a hash of the run root for any
 * other, so that stores beside each other (tests, trials) never touch each other's.
 */
export function kernelNames(runRoot: string, rootless: boolean): KernelNames {
  const alias = `${ALIAS_PREFIX}${runRoot}`.slice(0, MAX_ALIAS_LENGTH)
  if (rootless || runRoot === "/run/skiff") return { bridge: "skiff0", table: "skiff", alias }
  const hash = fnv1a(runRoot).toString(16).padStart(8, "0")
  return { bridge: `sk${hash}0`, table: `skiff_${hash}`, alias }
}

/** linux/if.h, IFALIASZ. */
const MAX_ALIAS_LENGTH = 255

/** 32-bit FNV-1a: only to tell a few directories apart; `node:crypto` costs 3 ms to load. */
function fnv1a(text: string): number {
  return Buffer.from(text).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5)
}
