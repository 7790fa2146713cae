import { setTimeout as sleep } from "node:timers/promises"
import { throwIfAborted, type Cancellable } from "../../base/cancel.ts"
import type { Database } from "../../base/database.ts"
import { log } from "../../base/log.ts"
import type { Endpoint, EndpointStatus, Network, NetworkDriver } from "../network.ts"
import { EndpointRecords } from "../records.ts"
import { isReady } from "./ready-file.ts"

const READY_POLL_MS = 2
/** A busy machine takes seconds to start a process. */
const READY_LIMIT_MS = 15_000

/** What the setup of an endpoint with names stands on. */
export interface NamedSetup {
  db: Database
  runRoot: string
  driver: Pick<NetworkDriver, "setup" | "teardown">
  wakeResolver?: () => void
}

/** As `NetworkDriver.setup`; when it resolves, questions are answered. The resolver loads while the interface is made. */
export async function setupNamed(
  { db, runRoot, driver, wakeResolver }: NamedSetup,
  network: Network,
  endpoint: Endpoint,
  options: Cancellable = {},
): Promise<EndpointStatus> {
  const { containerId, names = [], nameServers = [] } = endpoint
  wakeResolver?.()
  const status = await driver.setup(network, endpoint, options)
  try {
    const records = new EndpointRecords(db)
    // who reserved it may not have known them yet
    if (records.get(containerId, network.id)?.names !== JSON.stringify(names))
      records.rename(containerId, network.id, names)
    if (nameServers.length > 0) records.askElsewhere(containerId, network.id, nameServers)
    if (wakeResolver !== undefined) await whenReady(runRoot, wakeResolver, options)
    return { ...status, ...namesOf(network) }
  } catch (error) {
    await driver.teardown(network, containerId, status)
    throw error
  }
}

/** Who answers its questions for names, and where they are looked for. */
function namesOf({ gateway, options }: Network): Pick<EndpointStatus, "nameServer" | "searchDomain"> {
  const { searchDomain } = options.dns ?? {}
  return { nameServer: gateway, ...(searchDomain !== undefined && { searchDomain }) }
}

/**
 * Resolves when the resolver hears: before the first question of a container that is being started. `wake` starts one unless there
 * is one. Where it does not come up, containers run without names, and a warning says so. Throws Cancelled.
 */
async function whenReady(runRoot: string, wake: () => void, { signal }: Cancellable = {}): Promise<void> {
  for (const deadline = Date.now() + READY_LIMIT_MS; Date.now() < deadline; await sleep(READY_POLL_MS)) {
    // asked each time: the one that was there may have been killed in this moment
    wake()
    if (isReady(runRoot)) return
    throwIfAborted(signal, "waiting for the resolver of names")
  }
  log.warn("the resolver of container names did not start: containers reach each other by address only")
}
