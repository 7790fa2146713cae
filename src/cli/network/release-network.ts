import type { Engine } from "../../engine/engine.ts"
import type { Network } from "../../network/network.ts"
import type { NetworkHabits } from "../compat/network-habits.ts"
import { unlessIgnored } from "../each.ts"
import { containersOn } from "./users.ts"

/** Frees a network of the containers that use it, running or not, in the way of the tool that is spoken. */
export async function releaseNetwork(
  engine: Engine,
  network: Network,
  how: NetworkHabits["forcedRemoval"],
  timeoutSeconds?: number,
): Promise<void> {
  if (how === undefined) return
  const containers = await engine.containers()
  if (how === "disconnect") {
    for (const { id } of containersOn(containers, network))
      await unlessIgnored(true, () => containers.disconnect(id, network.name, { force: true }))
    return
  }
  const timeout = timeoutSeconds === undefined ? {} : { timeoutSeconds: timeoutSeconds < 0 ? Infinity : timeoutSeconds }
  for (const id of containers.withDependents(containersOn(containers, network).map((one) => one.id)))
    await unlessIgnored(true, async () => {
      await containers.stop(id, timeout)
      await containers.remove(id, { force: true })
    })
  const pods = await engine.pods()
  for (const { id } of await pods.list({ network: [network.name] }))
    await unlessIgnored(true, () => pods.remove(id, { force: true }))
}
