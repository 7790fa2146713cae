/** Who may reach whom, as a network's options say it in docker's and podman's words. Pure. */
import { InvalidArgument } from "../base/errors.ts"
import type { Network } from "./network.ts"

/** What the firewall does with a network. */
export interface NetworkPolicy {
  /** Nothing leads out of it, and into it from the host alone. */
  internal: boolean
  /** Its members reach each other. */
  icc: boolean
  /** What leaves it has the host's address. */
  masquerade: boolean
  /**
   * podman's words: `strict` keeps it from all other networks, and is what a network has that says nothing; `true` from those that are not
   * `false`. Two networks reach each other where one is `false`, and the other not `strict`.
   */
  isolate: "strict" | "true" | "false"
}

const ICC = "com.docker.network.bridge.enable_icc"
const MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade"
const ISOLATES = ["strict", "true", "false"] as const

/** Throws InvalidArgument for a word that says neither. */
export function networkPolicy({ options }: Pick<Network, "options">): NetworkPolicy {
  const { internal = false, driverOptions = {} } = options
  return {
    internal,
    icc: boolean(driverOptions, ICC),
    masquerade: !internal && boolean(driverOptions, MASQUERADE),
    isolate: isolation(driverOptions.isolate),
  }
}

/** Whether its members have no neighbours on their link. */
export function areApart(network: Pick<Network, "options">): boolean {
  return network.options.routed === true || !networkPolicy(network).icc
}

/** Whether a container's default route may lead through it. */
export function leadsOut({ options: { internal, driverOptions = {} } }: Pick<Network, "options">): boolean {
  return internal !== true && !/^(?:1|t|true)$/i.test(driverOptions.no_default_route ?? "")
}

/** Whether two networks of a store reach each other. */
export function areOpen(one: NetworkPolicy, other: NetworkPolicy): boolean {
  const words = new Set([one.isolate, other.isolate])
  return !one.internal && !other.internal && words.has("false") && !words.has("strict")
}

/** Go's strconv.ParseBool, as docker reads it. */
function boolean(options: Readonly<Record<string, string>>, key: string): boolean {
  const text = options[key] ?? "true"
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false
  throw new InvalidArgument(`invalid value "${text}" of option ${key}`, {
    hint: { valid: ["true", "false"] },
  })
}

function isolation(text = "strict"): NetworkPolicy["isolate"] {
  const words: Record<string, NetworkPolicy["isolate"]> = { "1": "true", "0": "false" }
  const found = ISOLATES.find((word) => word === text.toLowerCase()) ?? words[text]
  if (found !== undefined) return found
  throw new InvalidArgument(`invalid value "${text}" of option isolate`, {
    hint: { valid: ISOLATES },
  })
}
