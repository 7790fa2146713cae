import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { ALLOW_NET_CHANGE_FLAG, egressChange } from "../../container-flags/egress.ts"
import { readRate } from "../../container-flags/network-limits.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Change a network's name servers, rate, and where its containers may send",
  args: [arg.one("NETWORK", "networks")],
  flags: {
    allowNet: ALLOW_NET_CHANGE_FLAG,
    dnsAdd: flag.strings("Add name servers", "ip"),
    dnsDrop: flag.strings("Take name servers away", "ip"),
    rate: flag.of(readRate, "Limit what all containers together send out and receive (0 lifts it)", "rate"),
  },
  async run({ args: [name], flags: { allowNet, dnsAdd, dnsDrop, rate }, engine, out }) {
    const networks = await engine.networks()
    await networks.update(networks.get(name), {
      addDns: eachOf(dnsAdd),
      dropDns: eachOf(dnsDrop),
      ...egressChange(allowNet),
      ...(rate && { rate }),
    })
    out.line(name)
  },
})

/** Several may stand in one word, between commas. */
function eachOf(given: readonly string[]): string[] {
  return given.flatMap((one) => one.split(","))
}
