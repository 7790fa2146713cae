/**
 * The part of the guard's table that bounds where containers send, as text for nft(8). Pure.
 *
 * A container that is confined sends where a rule allows it, and answers whoever spoke to it first: what arrives for it is noted, the other way
 * round, since what goes from port to port of a bridge has no connection tracking on most kernels. What it may not send is
 * noted too, by the kernel alone and with nobody there to read it, and is then handed to the host whatever it was addressed to: only there
 * it can be answered, by a reset or an ICMP message, so that a program fails at once.
 */

/** Whose rules: a container's own, or its network's for all on it. Who has both sends what both allow. */
export type EgressLevel = "own" | "net"

export const LEVELS: readonly EgressLevel[] = ["own", "net"]

/** Map from an interface to the hardware address of its bridge. */
export const LIFTED = "lifted"
/** What was refused: interface, source, destination, protocol, port; and of what has no ports. */
export const DENIED = "denied"
export const DENIED_OTHER = "denied_other"
/** Chain that notes what is refused, and has it answered. */
export const DENY = "deny"
/** On what is to be refused by the table of what is routed. */
const DENIED_MARK = "0x736b6966"

const FAMILIES = [4, 6] as const
/** How long a refusal is known after the last time. */
export const NOTED_FOR_SECONDS = 86_400
/** Notes of refusals: the oldest go by themselves, and a container that knocks everywhere fills no more. */
const MOST_NOTES = 16_384
const MOST_ANSWERS = 65_536

/** The set of one level and family: `allowed`, `allowed6`, `allowed_net`. */
export function setName(set: string, level: EgressLevel, family: 4 | 6 = 4): string {
  return `${set}${suffix(family)}${level === "net" ? "_net" : ""}`
}

const suffix = (family: 4 | 6): string => (family === 6 ? "6" : "")
const ip = (family: 4 | 6): string => (family === 6 ? "ip6" : "ip")

/** Sets and maps. */
export function egressSets(): string {
  const lines = [
    "# who may send only where it is said: by what he may not, his bridge",
    `map ${LIFTED} { type ifname : ether_addr; }`,
    ...LEVELS.map((level) => `set ${setName("confined", level)} { type ifname; }`),
    ...FAMILIES.flatMap((family) => {
      const address = `ipv${family}_addr`
      const key = `ifname . ${address} . inet_proto . inet_service`
      return [
        ...LEVELS.flatMap((level) => [
          `set ${setName("allowed", level, family)} { type ${key}; flags interval; }`,
          `set ${setName("named", level, family)} { type ${key}; flags interval,timeout; }`,
        ]),
        `set answers${suffix(family)} { type ${key} . inet_service; flags dynamic,timeout; size ${MOST_ANSWERS}; timeout 3m; }`,
        `set pinged${suffix(family)} { type ifname . ${address}; flags dynamic,timeout; size ${MOST_ANSWERS}; timeout 1m; }`,
        ...notes(family),
      ]
    }),
  ]
  return lines.join("\n  ")
}

function notes(family: 4 | 6): string[] {
  const address = `ipv${family}_addr`
  const rest = `flags dynamic,timeout; size ${MOST_NOTES}; timeout ${NOTED_FOR_SECONDS}s; counter;`
  const key = `ifname . ${address} . ${address} . inet_proto`
  return [
    `set ${DENIED}${suffix(family)} { type ${key} . inet_service; ${rest} }`,
    `set ${DENIED_OTHER}${suffix(family)} { type ${key}; ${rest} }`,
  ]
}

/** Rules of the guard, for what is sent with an own address. */
export const EGRESS_RULES = LEVELS.map(
  (level) => `iifname @${setName("confined", level)} jump ${setName("confine", level)}`,
).join("\n    ")

/** The chains beside it; `port`: what interfaces of containers begin with. */
export function egressChains(port: string): string {
  return `${LEVELS.map(confineChain).join("\n  ")}
  chain ${DENY} {
    ${noteRules("iifname")}
    meta mark set ${DENIED_MARK} ether daddr set iifname map @${LIFTED} meta pkttype set unicast accept
    drop
  }
  chain arriving {
    type filter hook postrouting priority 0; policy accept;
    oifname != "${port}*" accept
    ${LEVELS.map((level) => `oifname @${setName("confined", level)} jump remember`).join("\n    ")}
  }
  chain remember {
    ${FAMILIES.map(rememberRules).join("\n    ")}
  }`
}

function confineChain(level: EgressLevel): string {
  const rules = FAMILIES.flatMap((family) => {
    const key = `iifname . ${ip(family)} daddr . meta l4proto`
    return [
      `${key} . th dport @${setName("allowed", level, family)} return`,
      `${key} . th dport @${setName("named", level, family)} return`,
      `${key} . th sport . th dport @answers${suffix(family)} return`,
    ]
  })
  return `chain ${setName("confine", level)} {
    ${rules.join("\n    ")}
    iifname . ip daddr @pinged icmp type echo-reply return
    iifname . ip6 daddr @pinged6 icmpv6 type echo-reply return
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, mld-listener-report, mld2-listener-report } return
    goto ${DENY}
  }`
}

/** A connection that has just been opened or ends is soon forgotten, as by connection tracking. */
function rememberRules(family: 4 | 6): string {
  const note = (timeout: string): string =>
    `update @answers${suffix(family)} { oifname . ${ip(family)} saddr . meta l4proto . th dport . th sport timeout ${timeout} }`
  const echo = family === 6 ? "icmpv6 type echo-request" : "icmp type echo-request"
  return [
    `tcp flags & (syn | fin | rst) != 0 ${note("2m")} return`,
    `meta l4proto tcp ${note("1d")} return`,
    `meta l4proto { udp, sctp } ${note("3m")} return`,
    `${echo} update @pinged${suffix(family)} { oifname . ${ip(family)} saddr }`,
  ].join("\n    ")
}

function noteRules(who: "iifname"): string {
  return FAMILIES.flatMap((family) => {
    const key = `${who} . ${ip(family)} saddr . ${ip(family)} daddr . meta l4proto`
    return [
      `meta l4proto { tcp, udp, sctp } update @${DENIED}${suffix(family)} { ${key} . th dport }`,
      `meta l4proto != { tcp, udp, sctp } update @${DENIED_OTHER}${suffix(family)} { ${key} }`,
    ]
  }).join("\n    ")
}

/** Rules of the table of what is routed, before all others: what was handed up to be refused. */
export const REFUSE_RULES = `meta mark ${DENIED_MARK} meta l4proto tcp reject with tcp reset
    meta mark ${DENIED_MARK} reject with icmpx type admin-prohibited`

/** Sets and chain of the table of what is routed: who was kept from other networks, and from outside by an internal one. */
export const STRAYS = {
  sets: FAMILIES.flatMap(notes).join("\n  "),
  chain: `chain stray {
    ${noteRules("iifname")}
    drop
  }`,
}
