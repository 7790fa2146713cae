/** Names in the kernel that belong to one store. */
export interface KernelNames {
  /** The default bridge. */
  bridge: string
  /** nftables table of family inet. */
  table: string
}

/**
 * `skiff0` and `skiff` for the machine's own store, and in a user's own namespace; names with a hash of the run root for any
 * other, so that stores beside each other (tests, trials) never touch each other's.
 */
export function kernelNames(runRoot: string, rootless: boolean): KernelNames {
  if (rootless || runRoot === "/run/skiff") return { bridge: "skiff0", table: "skiff" }
  const hash = fnv1a(runRoot).toString(16).padStart(8, "0")
  return { bridge: `sk${hash}0`, table: `skiff_${hash}` }
}

/** 32-bit FNV-1a: only to tell a few folders apart; `node:crypto` costs 3 ms to load. */
function fnv1a(text: string): number {
  return Buffer.from(text).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5)
}
