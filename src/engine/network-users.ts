import type { Database } from "../base/database.ts"
import { ContainerRecords } from "../container/records.ts"
import type { Events } from "../event/event.ts"
import type { Network, NetworkUser } from "../network/network.ts"
import { PodRecords } from "../pod/records.ts"
import { SandboxRecords } from "../sandbox/records.ts"

/** Tells, in a transaction, which containers and pods are on a network when they run. */
export function networkUsers(db: Database, events: Events): (network: Network) => readonly NetworkUser[] {
  const [containers, sandboxes] = [new ContainerRecords(db, events), new SandboxRecords(db, events)]
  const pods = new PodRecords(db, events)
  const podNames = (): Map<string | undefined, string> =>
    new Map(pods.list().map(({ name, spec }) => [spec.sandboxId, `pod ${name}`]))
  return (network) => {
    const shared = sandboxes.usersOfNetwork(network)
    // people know a pod, and not its sandbox
    const names = shared.length === 0 ? undefined : podNames()
    const named = shared.map(({ id, name }) => ({ id, name: names?.get(id) ?? name }))
    return [...containers.usersOfNetwork(network), ...named]
  }
}
