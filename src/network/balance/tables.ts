/**
 * The table of addresses that stand for several endpoints, as text for nft(8). Pure.
 *
 * Written once and without elements. The first packet of a connection meets a fixed number of look-ups, with 1 Service or 5,000: address,
 * protocol and port give the Service's number (as the connection's mark, which is taken away before it leaves), that number the size of the
 * drawing, and number and lot the endpoint. All other packets go as connection tracking remembers.
 */
import { createHash } from "node:crypto"
import { DRAWINGS } from "./slots.ts"

/** Marks of Services, and of endpoints that callers stay with: the rest of the 32 bits counts. */
export const SERVICE_MARK = 0x5b000000
export const ENDPOINT_MARK = 0x5c000000

/** How long a caller stays with an endpoint: what is asked for is rounded up. */
const STAYS_SECONDS = [60, 300, 600, 1800, 3600, 10_800, 43_200, 86_400]

/** Names of the sets, maps and chains. `6` is added for IPv6. */
export const SETS = {
  version: "version",
  bridges: "bridges",
  ranges: "ranges",
  frontends: "frontends",
  balanced: "balanced",
  nodePorts: "node_ports",
  unserved: "unserved",
  unservedPorts: "unserved_ports",
  bounded: "bounded",
  allowed: "allowed",
  loopback6: "loopback6",
  sizes: "sizes",
  endpoints: "endpoints",
  choices: "choices",
  stays: "stays",
  staying: "staying",
  sticky: "sticky",
  hairpin: "hairpin",
  taps: "taps",
  tapMarks: "tap_marks",
} as const

/** The name of a set of one family. */
export const six = (set: string, family: 4 | 6): string => (family === 6 ? `${set}6` : set)

/** The chain that draws one of `size` endpoints. */
export const drawChain = (size: number, isSticky: boolean): string => `${isSticky ? "stay" : "draw"}_${size}`

/** The chain that notes with which endpoint a caller stays: for so long, or the next longer time. */
export function stayChain(seconds: number): string {
  return `for_${STAYS_SECONDS.find((one) => one >= seconds) ?? STAYS_SECONDS.at(-1)}`
}

const FAMILIES = [4, 6] as const
const ip = (family: 4 | 6): string => (family === 6 ? "ip6" : "ip")
const askedFor = (family: 4 | 6): string => `${ip(family)} daddr . meta l4proto . th dport`
const PORTS = "meta l4proto { tcp, udp, sctp } th dport != 0"

/** The whole table, in place of what is there. */
export function balanceText(table: string): string {
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
${sets()}
${DRAWINGS.map(drawChains).join("\n")}
${STAYS_SECONDS.map(stayText).join("\n")}
  chain stayed {
    ct mark set ip saddr . ip daddr . meta l4proto . th dport map @${SETS.sticky}
    ${PORTS} dnat ip to ct mark map @${SETS.staying}
  }
  chain find {
${FAMILIES.map((family) => `    ct mark set ${ip(family)} daddr . meta l4proto . th dport map @${six(SETS.balanced, family)}`).join("\n")}
    # published ports of containers were first
    meta nfproto ipv4 fib daddr type local ct mark set meta l4proto . th dport map @${SETS.nodePorts}
    ip6 daddr ::1 ip6 daddr != @${SETS.loopback6} return
    meta nfproto ipv6 fib daddr type local ct mark set meta l4proto . th dport map @${SETS.nodePorts}6
    ct mark vmap @${SETS.sizes}
  }
  chain prerouting {
    type nat hook prerouting priority -95; policy accept;
    iifname @${SETS.bridges} ct mark set ip daddr . meta l4proto . th dport map @${SETS.frontends}
    iifname @${SETS.bridges} ct mark set ip6 daddr . meta l4proto . th dport map @${SETS.frontends}6
    jump find
  }
  chain output {
    type nat hook output priority -95; policy accept;
    ct mark set ip daddr . meta l4proto . th dport map @${SETS.frontends}
    ct mark set ip6 daddr . meta l4proto . th dport map @${SETS.frontends}6
    jump find
  }
  # who is led to himself would answer himself without undoing it
  chain postrouting {
    type nat hook postrouting priority 95; policy accept;
    ct status dnat ip saddr . ip daddr @${SETS.hairpin} masquerade
    ct status dnat ip6 saddr . ip6 daddr @${SETS.hairpin}6 masquerade
  }
  # the mark has done its work
  chain unmark {
    type filter hook postrouting priority 0; policy accept;
    ct state new ct mark & 0xff000000 == { ${hex(SERVICE_MARK)}, ${hex(ENDPOINT_MARK)} } ct mark set 0
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmpx type port-unreachable
  }
  # Services without any endpoint, and who may not ask for one, are refused at once, in place of a wait
  chain unserved {
    ct state != new return
${FAMILIES.map((family) => `    ${askedFor(family)} @${six(SETS.bounded, family)} ${askedFor(family)} . ${ip(family)} saddr != @${six(SETS.allowed, family)} goto refuse`).join("\n")}
    ip daddr . meta l4proto . th dport @${SETS.unserved} goto refuse
    ip6 daddr . meta l4proto . th dport @${SETS.unserved}6 goto refuse
    meta l4proto . th dport @${SETS.unservedPorts} fib daddr type local goto refuse
  }
  chain before {
    type filter hook prerouting priority -110; policy accept;
    jump unserved
  }
  chain before_output {
    type filter hook output priority -110; policy accept;
    jump unserved
  }
  # addresses of Services are nobody's interface: what no Service took goes nowhere
  chain nowhere {
    ct state != new return
    ip daddr @${SETS.ranges} goto refuse
    ip6 daddr @${SETS.ranges}6 goto refuse
  }
  chain back {
    type filter hook prerouting priority mangle; policy accept;
    iifname @${SETS.bridges} ct mark @${SETS.tapMarks} meta mark set ct mark
  }
  chain forward {
    type filter hook forward priority -5; policy accept;
    ct state new ct mark set iifname map @${SETS.taps}
    jump nowhere
  }
  chain after_output {
    type filter hook output priority 5; policy accept;
    jump nowhere
  }
}
`
}

const hex = (number: number): string => `0x${number.toString(16)}`

function sets(): string {
  const lines = [
    `set ${SETS.version} { type ifname; }`,
    "# where members are",
    `set ${SETS.bridges} { type ifname; }`,
    ...FAMILIES.flatMap((family) => {
      const address = `ipv${family}_addr`
      const asked = `${address} . inet_proto . inet_service`
      return [
        `set ${six(SETS.ranges, family)} { type ${address}; flags interval; }`,
        "# asked by members and this host; from everywhere; by a port of this host",
        `map ${six(SETS.frontends, family)} { type ${asked} : mark; }`,
        `map ${six(SETS.balanced, family)} { type ${asked} : mark; }`,
        `map ${six(SETS.nodePorts, family)} { type inet_proto . inet_service : mark; }`,
        `set ${six(SETS.unserved, family)} { type ${asked}; }`,
        "# of those asked from everywhere: which are bounded, and who may ask",
        `set ${six(SETS.bounded, family)} { type ${asked}; }`,
        `set ${six(SETS.allowed, family)} { type ${asked} . ${address}; flags interval; }`,
        `map ${six(SETS.endpoints, family)} { typeof ct mark . numgen random mod 2 : ${ip(family)} daddr . th dport; }`,
        `set ${six(SETS.hairpin, family)} { type ${address} . ${address}; }`,
      ]
    }),
    "# ::1, where it leads to ports of this host",
    `set ${SETS.loopback6} { type ipv6_addr; }`,
    `set ${SETS.unservedPorts} { type inet_proto . inet_service; }`,
    "# interfaces by which ports of an ordinary user's host arrive: answers leave by them",
    `map ${SETS.taps} { type ifname : mark; }`,
    `set ${SETS.tapMarks} { type mark; }`,
    `map ${SETS.sizes} { type mark : verdict; }`,
    "# whose callers stay: with which endpoint, and who did",
    `map ${SETS.staying} { type mark : ipv4_addr . inet_service; }`,
    `map ${SETS.sticky} { type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark; flags dynamic,timeout; size 65536; timeout 3h; }`,
    `map ${SETS.choices} { typeof ct mark . numgen random mod 2 : ct mark; }`,
    `map ${SETS.stays} { type mark : verdict; }`,
  ]
  return lines.map((line) => `  ${line}`).join("\n")
}

function drawChains(size: number): string {
  const lot = `numgen random mod ${size}`
  return `  chain ${drawChain(size, false)} {
    ${PORTS} dnat ip to ct mark . ${lot} map @${SETS.endpoints}
    ${PORTS} dnat ip6 to ct mark . ${lot} map @${SETS.endpoints}6
  }
  chain ${drawChain(size, true)} {
    # nft 1.0.6 has no room for the key of a caller's IPv6 address: he stays as long as the endpoints do
    ${PORTS} dnat ip6 to ct mark . jhash ip6 saddr mod ${size} map @${SETS.endpoints}6
    ct mark set ct mark . ${lot} map @${SETS.choices}
    ct mark vmap @${SETS.stays}
  }`
}

/** Who is known stays with his endpoint, and is known for longer; who is not stays with the one that was drawn. */
function stayText(seconds: number): string {
  return `  chain ${stayChain(seconds)} {
    update @${SETS.sticky} { ip saddr . ip daddr . meta l4proto . th dport timeout ${seconds}s : ct mark }
    goto stayed
  }`
}

/** Stands in the table once all is in it, and tells it from one that another version wrote. At most 15 letters. */
export const VERSION = createHash("sha256").update(balanceText("")).digest("hex").slice(0, 12)
