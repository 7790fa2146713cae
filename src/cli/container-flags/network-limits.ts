/** Flags that bound what a container does on its network. */
import { InvalidArgument } from "../../base/errors.ts"
import type { ContainerOptions, NetworkLimits } from "../../container/container.ts"
import { parseBitRate } from "../../spec/docker/bit-rate.ts"
import { parseRefusal } from "../../spec/docker/refusal.ts"
import { flag, type FlagValues } from "../flag.ts"

type Rate = NonNullable<NetworkLimits["rate"]>

export const NET_RATE_FLAG = flag.of(
  readRate,
  "Limit what the container sends and receives: 10mbit, or in=10mbit,out=2mbit (0 lifts it)",
  "rate",
)

export const NETWORK_LIMIT_FLAGS = {
  netRate: NET_RATE_FLAG,
  netRefuse: flag.list(
    parseRefusal,
    "Refuse addresses, ports or a card of the host (10.0.0.0/8, 192.0.2.1:25, 25/tcp, wlan0)",
  ),
}

/** What `run` and `create` ask for. */
export function networkLimitOptions({
  netRate: rate,
  netRefuse,
}: FlagValues<typeof NETWORK_LIMIT_FLAGS>): Pick<ContainerOptions, "networkLimits"> {
  const refuse = netRefuse.flat()
  const hasRate = rate !== undefined && Object.keys(rate).length > 0
  if (!hasRate && refuse.length === 0) return {}
  return { networkLimits: { ...(hasRate && { rate }), ...(refuse.length > 0 && { refuse }) } }
}

/** `in` is what the container receives. Throws InvalidArgument. */
export function readRate(text: string): Rate {
  if (text === "0") return {}
  if (!text.includes("=")) return { receiveBitsPerSecond: parseBitRate(text), sendBitsPerSecond: parseBitRate(text) }
  const rate: Rate = {}
  for (const word of text.split(",")) {
    const [, direction, value = ""] = /^(in|out)=(.+)$/.exec(word) ?? []
    if (direction === "in") rate.receiveBitsPerSecond = parseBitRate(value)
    else if (direction === "out") rate.sendBitsPerSecond = parseBitRate(value)
    else throw new InvalidArgument(`invalid rate "${text}"`, { hint: "expected 10mbit, or in=10mbit,out=2mbit" })
  }
  return rate
}
