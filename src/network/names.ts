import { randomHex } from "../base/random-hex.ts"
import { shortId } from "../base/short-id.ts"

/** Names in the kernel that belong to one store. */
export interface KernelNames {
  /** The default bridge. */
  bridge: string
  /** nftables tables of this name: of family inet, and of family bridge. */
  table: string
  /** What the host's ends of containers begin with: the rules know them by it. */
  port: string
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
  if (rootless || runRoot === "/run/skiff") return { bridge: "skiff0", table: "skiff", port: "veth-", alias }
  const hash = fnv1a(runRoot).toString(16).padStart(8, "0")
  return { bridge: `sk${hash}0`, table: `skiff_${hash}`, port: `v${hash}`, alias }
}

/** linux/if.h, IFALIASZ. */
const MAX_ALIAS_LENGTH = 255

/** 32-bit FNV-1a: only to tell a few directories apart; `node:crypto` costs 3 ms to load. */
function fnv1a(text: string): number {
  return Buffer.from(text).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5)
}

/** linux/if.h, IFNAMSIZ without the NUL. */
const MAX_INTERFACE_LENGTH = 15

/** A new name for a host's end: never one that was there before, since an old pair may still be on its way out. */
export function newPortName({ port }: Pick<KernelNames, "port">): string {
  return `${port}${randomHex(6)}`.slice(0, MAX_INTERFACE_LENGTH)
}

/** What is written on the host's end of a container, for people and for who finds its port taken. */
export function portAlias(containerId: string, runRoot: string): string {
  return `container ${shortId(containerId)} of skiff ${runRoot}`.slice(0, MAX_ALIAS_LENGTH)
}

/** The container that an alias names; undefined when it is not one of `portAlias`. */
export function parsePortAlias(alias: string): { container: string; runRoot: string } | undefined {
  const [, container, runRoot] = /^container (\S+) of skiff (.+)$/.exec(alias) ?? []
  return container === undefined || runRoot === undefined ? undefined : { container, runRoot }
}
