/** Whether containers have IPv6 here, and what of it this host cannot do. */
import { readText } from "../sys/host.ts"
import { kernelHasIpv6, newInterfacesHaveIpv6 } from "../sys/net/has-ipv6.ts"
import { isLoopback6Translated } from "../network/ipv6-host.ts"
import { pastaFamilies } from "../network/pasta-families.ts"
import { notNeeded, ok, type Check, type Finding, type HostProbe } from "./check.ts"

export const ipv6Checks: readonly Check[] = [
  { name: "IPv6", purpose: "a second address for each container", look: lookAtIpv6 },
]

/** Nothing that must be: without it all goes on with IPv4. */
function lookAtIpv6({ uid }: HostProbe): Finding {
  if (!kernelHasIpv6()) return notNeeded("this kernel has none: containers have IPv4 alone")
  if (uid !== undefined)
    return pastaFamilies().hasIpv6
      ? ok("among your containers, and by pasta to the host's network")
      : ok("among your containers; this host has no network of IPv6")
  if (!newInterfacesHaveIpv6()) return notNeeded("net.ipv6.conf.default.disable_ipv6 is 1: containers have IPv4 alone")
  const isForwarding = readText("/proc/sys/net/ipv6/conf/all/forwarding")?.trim() === "1"
  const ways = isForwarding ? "forwarded" : "forwarded once a container needs it"
  return isLoopback6Translated()
    ? ok(ways)
    : ok(`${ways}; published ports are not reached by ::1 while net.bridge.bridge-nf-call-ip6tables is 1`)
}
