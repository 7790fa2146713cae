import type { ContainerOptions } from "../container/container.ts"
import type { NetworkHabits } from "./compat/network-habits.ts"
import type { Out } from "./out.ts"

/** Says that ports which were to be published are not: the host's network has them already, and without a network there are none. */
export function tellDiscardedPorts(
  { ports = [], network }: Pick<ContainerOptions, "ports" | "network">,
  habits: Pick<NetworkHabits, "portsDiscarded">,
  out: Out,
): void {
  if (ports.length === 0 || (network?.kind !== "host" && network?.kind !== "none")) return
  const text = habits.portsDiscarded(network.kind)
  if (text !== undefined) out.note(text)
}
