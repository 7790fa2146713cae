/** What this host has of IPv6, and what it needs to carry that of containers. */
import { readFileSync, readdirSync } from "node:fs"
import { hasErrno } from "../base/errors.ts"
import type { Sysctls } from "../sys/net/netns.ts"

const CONF = "/proc/sys/net/ipv6/conf"

/**
 * Whether an answer from a container finds its way back to ::1. The kernel drops what comes to ::1 from a wire; when br_netfilter has
 * bridges translate addresses, the answer has that address before it is looked at (ip6_rcv), else after.
 */
export function isLoopback6Translated(): boolean {
  return readSetting("/proc/sys/net/bridge/bridge-nf-call-ip6tables") !== "1"
}

/**
 * Settings with which the host forwards IPv6, if it does not yet. A forwarding host no longer hears the routers of its own uplink
 * (ip-sysctl.rst, accept_ra), and forgets its default route: interfaces that heard them until now do so on, by 2 in the place of 1, which is
 * written first. Of interfaces that are not there yet `default` says it. `bridge`: ours, which hears none. In the calling thread's network namespace.
 */
export function forwardingSysctls(bridge: string): Sysctls {
  if (readSetting(`${CONF}/all/forwarding`) !== "0") return []
  const names = readdirSync(CONF).filter((name) => !["all", "lo", bridge].includes(name))
  const is = (name: string, setting: string, value: string): boolean =>
    readSetting(`${CONF}/${name}/${setting}`) === value
  const hearing = names.filter((name) => is(name, "accept_ra", "1") && is(name, "forwarding", "0"))
  return [
    ...hearing.map((name) => [`net/ipv6/conf/${name}/accept_ra`, "2"] as const),
    ["net/ipv6/conf/all/forwarding", "1"],
  ]
}

/** Empty where the kernel has none such. */
function readSetting(path: string): string {
  try {
    return readFileSync(path, "latin1").trim()
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return ""
    throw error
  }
}
