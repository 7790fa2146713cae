import { interfacePrefixOf } from "./driver-options.ts"
import { leadsOut } from "./network-policy.ts"
import type { Arrangement, Network } from "./network.ts"
import type { NetworkRequest } from "./network-request.ts"

/** See `Networks.arrange`. Pure, but for what it is handed. */
export function arrange(
  requests: readonly NetworkRequest[],
  { get, taken }: { get(name: string): Network; taken: readonly string[] },
): Arrangement {
  const networks = requests.map(({ network }) => get(network))
  const names = new Set([...taken, ...requests.flatMap((one) => one.interface ?? [])])
  const interfaces = requests.map((request, index) => {
    const wanted = networks[index]?.options.interfaceName
    const prefix = interfacePrefixOf(networks[index]?.options ?? {})
    const name = request.interface ?? (wanted === undefined || names.has(wanted) ? nextFree(names, prefix) : wanted)
    names.add(name)
    return name
  })
  return { interfaces, uplink: uplinkOf(requests, networks) }
}

/** Of those with a way out, the highest priority; of equals the first. */
function uplinkOf(requests: readonly NetworkRequest[], networks: readonly Network[]): number | undefined {
  const ranked = requests
    .map(({ gatewayPriority = 0 }, index) => ({ index, gatewayPriority }))
    .toSorted((one, other) => other.gatewayPriority - one.gatewayPriority)
  return (ranked.find(({ index }) => leadsOut(networks[index] ?? { options: {} })) ?? ranked[0])?.index
}

function nextFree(names: ReadonlySet<string>, prefix: string): string {
  for (let number = 0; ; number++) if (!names.has(`${prefix}${number}`)) return `${prefix}${number}`
}
