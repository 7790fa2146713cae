import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Change the name servers of a network",
  args: [arg.one("NETWORK", "networks")],
  flags: {
    dnsAdd: flag.strings("Add name servers", "ip"),
    dnsDrop: flag.strings("Take name servers away", "ip"),
  },
  async run({ args: [name], flags: { dnsAdd, dnsDrop }, engine, out }) {
    const networks = await engine.networks()
    await networks.update(networks.get(name), { addDns: eachOf(dnsAdd), dropDns: eachOf(dnsDrop) })
    out.line(name)
  },
})

/** Several may stand in one word, between commas. */
function eachOf(given: readonly string[]): string[] {
  return given.flatMap((one) => one.split(","))
}
