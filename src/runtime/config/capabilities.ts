import { readFileSync } from "node:fs"
import { InvalidArgument } from "../../base/errors.ts"
import { nearest } from "../../base/nearest.ts"
import { CAPABILITY_BITS } from "../../sys/process/process-capabilities.ts"
import { DEFAULT_CAPABILITIES } from "../../spec/capabilities.ts"
import type { OciCapabilities } from "../../spec/oci-runtime.ts"

/** All of capabilities(7); the index is the number. */
export const CAPABILITIES = CAPABILITY_BITS

export { DEFAULT_CAPABILITIES }

/**
 * The capabilities of a container, by docker's rules: `ALL` dropped leaves what is added, `ALL` added leaves out what is
 * dropped. `available` is what we ourselves may give. Throws InvalidArgument on a name that the kernel does not know.
 */
export function chooseCapabilities(
  options: { capAdd: readonly string[]; capDrop: readonly string[]; privileged: boolean },
  available: readonly string[],
): string[] {
  const add = options.capAdd.map((name) => parseCapability(name, available))
  const drop = new Set(options.capDrop.map((name) => parseCapability(name, CAPABILITIES)))
  if (options.privileged) return [...available]
  const base = drop.has("ALL") ? [] : add.includes("ALL") ? available : DEFAULT_CAPABILITIES
  const wanted = new Set(base.filter((name) => !drop.has(name)))
  for (const name of add.includes("ALL") && drop.has("ALL") ? available : add) if (name !== "ALL") wanted.add(name)
  return CAPABILITIES.filter((name) => wanted.has(name) && available.includes(name))
}

/**
 * Inheritable and ambient are empty but for what was asked for by name: with them a program of an ordinary user would regain what
 * it must not have (CVE-2022-24769, CVE-2022-27649 …). Throws InvalidArgument.
 */
export function capabilitySets(names: readonly string[], ambient: readonly string[] = []): OciCapabilities {
  const kept = ambient.map((name) => parseCapability(name, CAPABILITIES)).filter((name) => names.includes(name))
  return { bounding: [...names], effective: [...names], permitted: [...names], inheritable: kept, ambient: [...kept] }
}

/** `net_admin`, `CAP_NET_ADMIN`, `all`. Throws InvalidArgument. */
function parseCapability(text: string, known: readonly string[]): string {
  const upper = text.toUpperCase()
  if (upper === "ALL") return upper
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`
  if (known.includes(name)) return name
  if (CAPABILITIES.includes(name))
    throw new InvalidArgument(`capability "${text}" is not available here`, {
      hint: "the kernel, or the container that skiff itself runs in, does not have it",
    })
  const near = nearest(name, CAPABILITIES)
  throw new InvalidArgument(`unknown capability "${text}"`, {
    hint: near === undefined ? "see: man 7 capabilities" : { nearest: near },
  })
}

/** What this process may hand on: its own bounding set (all of root's; fewer inside another container). */
export function availableCapabilities(): string[] {
  const [, hex = "0"] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1")) ?? []
  const mask = BigInt(`0x${hex}`)
  return CAPABILITIES.filter((_, number) => (mask >> BigInt(number)) & 1n)
}
