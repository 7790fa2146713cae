import { existsSync, readFileSync } from "node:fs"

/** Whether this kernel has IPv6: it is built in or its module is loaded, and `ipv6.disable=1` was not said at boot. */
export function kernelHasIpv6(): boolean {
  return existsSync("/proc/net/if_inet6")
}

/** Whether a new interface of the calling thread's network namespace has it: its administrator may have turned it off. */
export function newInterfacesHaveIpv6(): boolean {
  try {
    return readFileSync("/proc/sys/net/ipv6/conf/default/disable_ipv6", "latin1").startsWith("0")
  } catch {
    return false
  }
}
