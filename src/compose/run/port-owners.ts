import type { PortMapping } from "../../spec/docker/port-mapping.ts"
import { bindPort } from "../../sys/net/host-port.ts"
import { close } from "../../sys/libc.ts"
import type { ProjectPlan } from "../plan/project-plan.ts"
import type { Look } from "./look.ts"

/** Who has published ports of the host, by `80/tcp`; those of the project that will give theirs up are not among them. */
export interface PortOwners {
  taken: Map<string, PortOwner[]>
  /** Held by containers of the project that are replaced: a socket there is theirs. */
  freed: ReadonlySet<string>
}

interface PortOwner {
  name: string
  address: string | undefined
}

/** Of all containers that run. */
export function portOwners({ everything }: Look, plan: ProjectPlan): PortOwners {
  const leaving = new Set(
    [
      ...plan.services.flatMap(({ steps }) => steps),
      ...(plan.removesOrphans ? plan.orphans.map((container) => ({ action: "remove" as const, container })) : []),
    ].flatMap((step) =>
      step.action === "recreate" || step.action === "remove"
        ? [step.container.container.id]
        : step.action === "finish" && step.replaced
          ? [step.replaced.container.id]
          : [],
    ),
  )
  const taken = new Map<string, PortOwner[]>()
  const freed = new Set<string>()
  for (const { id, name, options, state } of everything) {
    if (state.status !== "running" && state.status !== "paused") continue
    for (const port of options.ports) {
      if (leaving.has(id)) freed.add(keyOf(port))
      else claim(taken, port, name)
    }
  }
  return { taken, freed }
}

/** Why a new container cannot have that port; undefined: it has it now. Pure but for a look at the host. */
export function whyTaken({ taken, freed }: PortOwners, service: string, port: PortMapping): string | undefined {
  const other = taken.get(keyOf(port))?.find(({ address }) => overlaps(address, port.hostAddress))
  claim(taken, port, `another of service "${service}"`)
  if (other)
    return other.name.startsWith("another")
      ? `is published twice: by ${other.name}`
      : `is taken by container "${other.name}"`
  const address = bytesOf(port.hostAddress)
  if (freed.has(keyOf(port)) || port.protocol === "sctp" || address === undefined) return undefined
  const bound = bindPort(port.protocol, address, port.hostPort)
  if (typeof bound === "object") {
    close(bound.socket)
    return undefined
  }
  // what may not be bound here, the network may still publish by its rules
  return bound === "in use" ? "is in use by another program" : undefined
}

function claim(taken: Map<string, PortOwner[]>, port: PortMapping, name: string): void {
  if (port.hostPort === 0 || port.lastHostPort !== undefined) return
  const owners = taken.get(keyOf(port)) ?? []
  owners.push({ name, address: port.hostAddress })
  taken.set(keyOf(port), owners)
}

const keyOf = ({ hostPort, protocol }: PortMapping): string => `${hostPort}/${protocol}`

function overlaps(a: string | undefined, b: string | undefined): boolean {
  return isAny(a) || isAny(b) || a === b
}

function isAny(address: string | undefined): boolean {
  return address === undefined || address === "0.0.0.0" || address === "::"
}

/** Undefined of an IPv6 address: whether that is free is seen when the container starts. */
function bytesOf(address = "0.0.0.0"): Uint8Array | undefined {
  return address.includes(":") ? undefined : Uint8Array.from(address.split(".").map(Number))
}
