import { ignoreErrno } from "../../base/errors.ts"
import { deleteTable } from "../../sys/net/nfnetlink.ts"
import type { NetlinkSocket } from "../../sys/net/netlink.ts"
import type { KernelNames } from "../names.ts"

/** The name of the table of virtual ports. */
export const balanceTable = ({ table }: Pick<KernelNames, "table">): string => `${table}_virtual`

/** The name of the table of policies. */
export const policyTable = ({ table }: Pick<KernelNames, "table">): string => `${table}_policy`

/** Takes both tables from the kernel. Safe to repeat. */
export function removeVirtualTables(netfilter: NetlinkSocket, names: Pick<KernelNames, "table">): void {
  for (const table of [balanceTable(names), policyTable(names)])
    ignoreErrno("ENOENT", () => deleteTable(netfilter, "inet", table))
}
