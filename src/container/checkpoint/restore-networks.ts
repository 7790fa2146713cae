import type { PortReservation } from "../../network/network.ts"
import type { RestoreRequest } from "../../runtime/runtime.ts"
import type { Pid } from "../../sys/process/process.ts"
import { joinNetworks } from "../attachments.ts"
import type { Abortable } from "../container.ts"
import type { ContainerDeps } from "../deps.ts"
import type { ContainerRecord } from "../record.ts"
import { bringLoopbackUp } from "./loopback-up.ts"

/** A checkpoint, and what of its network is to come back. */
export interface RestoreLaunch extends RestoreRequest {
  /** To be had again, in place of new ones. */
  addresses: readonly { network: string; address: string; macAddress: string }[]
  ignoreStaticIp: boolean
  ignoreStaticMac: boolean
}

/** With the addresses that its connections know; those of the record are for later starts. */
export async function joinForRestore(
  deps: ContainerDeps,
  record: ContainerRecord,
  {
    pid,
    restore,
    reservation,
    abort,
  }: Abortable & {
    pid: Pid
    restore: RestoreLaunch
    reservation: PortReservation | undefined
  },
): Promise<void> {
  const { state, spec } = record
  if (spec.options.network.kind === "none") bringLoopbackUp(pid)
  const { addresses, ignoreStaticIp, ignoreStaticMac } = restore
  state.pid = pid
  const asked = state.attachments.map(({ address, macAddress }) => ({ address, macAddress }))
  for (const attachment of state.attachments) {
    if (ignoreStaticIp) delete attachment.address
    if (ignoreStaticMac) delete attachment.macAddress
    const known = addresses.find(({ network }) => network === attachment.network)
    if (known !== undefined) Object.assign(attachment, { address: known.address, macAddress: known.macAddress })
  }
  await joinNetworks(deps, record, { reservation, abort })
  for (const [index, attachment] of state.attachments.entries()) Object.assign(attachment, asked[index])
}
