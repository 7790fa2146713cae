import type { Container, Containers, NetworkAttachment } from "../../container/container.ts"
import type { Network } from "../../network/network.ts"
import type { Sandboxes } from "../../sandbox/sandbox.ts"

/** Somebody on a network: a container, or a sandbox that several share. */
export interface EndpointOwner {
  id: string
  name: string
  /** What it has there while it runs. */
  endpoint: NonNullable<NetworkAttachment["endpoint"]>
}

/** Containers that are on the network when they run, by themselves and not by a sandbox. */
export function containersOn(containers: Containers, network: Network): Container[] {
  return containers
    .list({ all: true })
    .filter(({ attachments }) => attachments.some((one) => isOf(one.network, network)))
}

/** Who is on the network now, with its addresses. */
export function endpointsOn(
  { containers, sandboxes }: { containers: Containers; sandboxes: Sandboxes },
  network: Network,
): EndpointOwner[] {
  const own = containers
    .list({ all: true })
    .flatMap(({ id, name, attachments }) =>
      attachments.flatMap(({ endpoint }) => (endpoint?.networkId === network.id ? [{ id, name, endpoint }] : [])),
    )
  const shared = sandboxes
    .list()
    .flatMap(({ id, name, endpoints }) =>
      endpoints.flatMap((endpoint) => (endpoint.networkId === network.id ? [{ id, name, endpoint }] : [])),
    )
  return [...own, ...shared]
}

function isOf(named: string, { id, name }: Network): boolean {
  return named === name || named === id
}
