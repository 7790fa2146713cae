import { closeSync, existsSync } from "node:fs"
import { InvalidArgument } from "../base/errors.ts"
import type { Sysctls } from "../sys/net/netns.ts"
import { openContainerNetns } from "./container-side.ts"
import type { HostSide } from "./host-side.ts"
import type { NetworkDriver } from "./network.ts"

/** Docker's: `net.FAMILY.PART.IFNAME.KEY`; nothing but settings of one interface. */
const KEY = /^net\.(ipv4|ipv6|mpls)\.(conf|neigh)\.IFNAME\.([a-z0-9_]+)$/

/** Names below /proc/sys with their values. Throws InvalidArgument for what is no setting of an interface, or none that this kernel has. */
function interfaceSysctls(sysctls: Readonly<Record<string, string>>, interfaceName: string): Sysctls {
  return Object.entries(sysctls).map(([key, value]) => {
    const [, family, part, name] = KEY.exec(key) ?? []
    if (name === undefined)
      throw new InvalidArgument(`unrecognised network interface sysctl '${key}'`, {
        field: "sysctls",
        hint: "represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'",
      })
    // one that is not there is passed over where it is written
    if (!existsSync(`/proc/sys/net/${family}/${part}/lo/${name}`))
      throw new InvalidArgument(`this kernel has no network interface sysctl '${key}'`, { field: "sysctls" })
    return [`net/${family}/${part}/${interfaceName}/${name}`, value] as const
  })
}

/** The driver, whose interfaces get the settings that their endpoints ask for. */
export function withSysctls(driver: NetworkDriver, host: HostSide): Pick<NetworkDriver, "setup" | "teardown"> {
  return {
    teardown: (...args) => driver.teardown(...args),
    async setup(network, endpoint, options) {
      const { sysctls = {}, containerId, netns } = endpoint
      interfaceSysctls(sysctls, "eth0")
      const status = await driver.setup(network, endpoint, options)
      const opened = openContainerNetns(endpoint)
      try {
        const { container } = await host.withContainer(opened, interfaceSysctls(sysctls, status.interface))
        container[Symbol.dispose]()
        return status
      } catch (error) {
        await driver.leave(network, { containerId, netns, interface: status.interface }, status)
        throw error
      } finally {
        closeSync(opened)
      }
    },
  }
}
