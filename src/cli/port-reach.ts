/** `port --reach` and `port --check`: from where the published ports of containers are reached, and whether they are. */
import type { Container } from "../container/container.ts"
import { attachmentsOf, publishedPorts } from "../docker/port-text.ts"
import type { Engine } from "../engine/engine.ts"
import { readContainerPort } from "./container-port.ts"
import type { Out } from "./out.ts"
import { portList, portRow, type PortRow } from "./output/port-list.ts"
import { printList, type ListFlags } from "./output/list.ts"

/** What is asked for. */
export interface ReachAsked {
  engine: Pick<Engine, "networks">
  out: Out
  containers: readonly Container[]
  /** `80`, `53/udp`; undefined: all. */
  port: string | undefined
  flags: ListFlags & { check: boolean }
}

/** Prints a row for each way to each port. Gives an exit code of 1 when one that was asked is not open. */
export async function printReach({ engine, out, containers, port, flags }: ReachAsked): Promise<number> {
  const networks = await engine.networks()
  const isWanted = port === undefined ? () => true : readContainerPort(port).isWanted
  const rows: [string, PortRow][] = []
  for (const container of containers) {
    const addresses = attachmentsOf(container).flatMap(
      ({ endpoint }) =>
        [endpoint?.address, endpoint?.address6].filter((one) => one !== undefined && one !== "") as string[],
    )
    const reached = publishedPorts(container)
      .filter(isWanted)
      .map((one) => ({ port: one, addresses }))
    const pid = "pid" in container.state ? container.state.pid : undefined
    const found =
      flags.check && pid !== undefined ? await networks.checkPorts(reached, pid) : await networks.portPlaces(reached)
    rows.push(...found.map((row): [string, PortRow] => [container.name, row]))
  }
  const shown = rows.map(([name, row]) => portRow(name, row))
  printList(out, shown, flags, portList(flags.check))
  return rows.some(([, { state }]) => state === "closed" || state === "filtered") ? 1 : 0
}
