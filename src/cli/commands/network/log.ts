import { shortId } from "../../../base/short-id.ts"
import type { RefusedTraffic } from "../../../network/network.ts"
import { isSkiffError } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import type { Engine } from "../../../engine/engine.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "Show what networks refused",
  args: [arg.optional("NETWORK|CONTAINER", "networks")],
  flags: {
    ...LIST_FORMAT_FLAGS,
    noTrunc: flag.bool("Do not truncate the output"),
    since: flag.time("Show what was tried since timestamp or for so long"),
  },
  async run({ args: [name], flags, engine, out }) {
    const networks = await engine.networks()
    const isAsked = name === undefined ? () => true : await chosen(name, engine)
    const since = flags.since ?? new Date(0)
    const found = (await networks.refused()).filter((one) => one.lastAt >= since && isAsked(one))
    const containers = await engine.containers()
    const nameOf = (id: string): string => {
      try {
        return containers.get(id).name
      } catch (error) {
        if (isSkiffError(error, "NotFound")) return flags.noTrunc ? id : shortId(id)
        throw error
      }
    }
    printList(
      out,
      found.map((one) => listRow(one, nameOf)),
      flags,
      {
        titles: {
          Time: "LAST",
          Container: "CONTAINER",
          Network: "NETWORK",
          Source: "SOURCE",
          Destination: "DESTINATION",
          Port: "PORT",
          Reason: "REASON",
          Packets: "PACKETS",
          Bytes: "BYTES",
        },
        table: "table {{.Time}}\t{{.Container}}\t{{.Network}}\t{{.Destination}}\t{{.Port}}\t{{.Reason}}\t{{.Packets}}",
        quiet: "{{.Destination}}",
      },
    )
  },
})

/** A network of that name, or a container. */
async function chosen(name: string, engine: Engine): Promise<(one: RefusedTraffic) => boolean> {
  try {
    const { name: network } = (await engine.networks()).inspect(name)
    return (one) => one.network === network
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
  const { id } = (await engine.containers()).get(name)
  return ({ containerId }) => containerId === id
}

function listRow(one: RefusedTraffic, nameOf: (id: string) => string): object {
  const { containerId, network = "", reason, source, destination, protocol, port, packets, bytes, lastAt } = one
  return {
    Time: lastAt.toISOString(),
    Container: containerId === undefined ? "" : nameOf(containerId),
    Network: network,
    Source: source,
    Destination: destination,
    Port: port === undefined ? protocol : `${port}/${protocol}`,
    Reason: reason,
    Packets: String(packets),
    Bytes: String(bytes),
  }
}
