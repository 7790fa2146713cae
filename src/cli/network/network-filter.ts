import { InvalidArgument } from "../../base/errors.ts"
import type { PredefinedNetwork } from "../../docker/predefined-networks.ts"
import type { Engine } from "../../engine/engine.ts"
import type { Network } from "../../network/network.ts"
import { parseTimestamp } from "../../spec/docker/timestamp.ts"
import { booleanFilter, parseFilters } from "../filters.ts"
import { hasLabel } from "../prune-filter.ts"

const KEYS = ["dangling", "driver", "id", "label", "label!", "name", "scope", "type", "until"] as const

/** What a filter looks at: a network, or Docker's `host` and `none`. */
type Listed = Network | PredefinedNetwork

/** Whether `network ls --filter …` asks for a network. Values of one key are alternatives, but labels. Throws InvalidArgument. */
export async function networkFilter(filters: readonly string[], engine: Engine): Promise<(one: Listed) => boolean> {
  const { driver, id, label, "label!": notLabel, name, scope, type, until, ...more } = parseFilters(filters, KEYS)
  const dangling = booleanFilter(more.dangling, "dangling")
  const before = until === undefined ? undefined : parseTimestamp(until.at(-1) ?? "")
  for (const one of type ?? [])
    if (one !== "builtin" && one !== "custom")
      throw new InvalidArgument(`invalid filter 'type=${one}'`, { hint: "valid: builtin, custom" })
  const used = dangling === undefined ? undefined : await usedNetworks(engine)
  return (one) => {
    const labels = labelsOf(one)
    const fits = [
      driver?.includes(one.driver),
      id?.some((pattern) => matches(one.id, pattern)),
      label?.every((wanted) => hasLabel(labels, wanted)),
      notLabel && !notLabel.some((unwanted) => hasLabel(labels, unwanted)),
      name?.some((pattern) => matches(one.name, pattern)),
      scope?.includes("local"),
      type?.includes(isBuiltIn(one) ? "builtin" : "custom"),
      before && "createdAt" in one && one.createdAt < before,
      // what is there of itself is never left over
      used && (isBuiltIn(one) ? !dangling : used.has(one.id) !== dangling),
    ]
    return fits.every((fit) => fit !== false)
  }
}

/** A part of it, or a regular expression, as Docker and Podman have it; what is none fits nothing. */
function matches(text: string, pattern: string): boolean {
  try {
    return text === pattern || new RegExp(pattern).test(text)
  } catch {
    return false
  }
}

/** Ids of those that a container or pod is on when it runs. */
async function usedNetworks(engine: Engine): Promise<ReadonlySet<string>> {
  const networks = await engine.networks()
  const used = new Set<string>()
  for (const network of networks.list()) if ((await networks.users(network)).length > 0) used.add(network.id)
  return used
}

function labelsOf(one: Listed): Readonly<Record<string, string>> {
  return "options" in one ? (one.options.labels ?? {}) : {}
}

function isBuiltIn(one: Listed): boolean {
  return !("options" in one) || one.name === "bridge"
}
