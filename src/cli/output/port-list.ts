/** From where published ports are reached, and what came of asking them, as rows of a table. */
import type { PortCheck, PortPlace } from "../../network/network.ts"
import type { PortMapping } from "../../spec/docker/port-mapping.ts"
import type { ListFormat } from "./list.ts"

/** A way to a port of a container; with `state` it was asked. */
export type PortRow = PortPlace & { mapping: PortMapping } & Partial<Pick<PortCheck, "state" | "reason">>

export function portRow(container: string, row: PortRow): Record<string, string> {
  const { mapping, from, address, port, interface: card = "" } = row
  return {
    Container: container,
    ContainerPort: `${mapping.containerPort}/${mapping.protocol}`,
    From: from,
    Address: address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`,
    Interface: card,
    State: row.state ?? "",
    Reason: row.reason ?? "",
  }
}

const TITLES = {
  Container: "CONTAINER",
  ContainerPort: "PORT",
  From: "FROM",
  Address: "ADDRESS",
  Interface: "INTERFACE",
  State: "STATE",
  Reason: "REASON",
}

/** `isChecked`: with what came of it. */
export function portList(isChecked: boolean): ListFormat {
  const columns = ["ContainerPort", "From", "Address", "Interface", ...(isChecked ? ["State", "Reason"] : [])]
  return {
    titles: TITLES,
    table: `table ${columns.map((name) => `{{.${name}}}`).join("\t")}`,
    quiet: "{{.Address}}",
  }
}
