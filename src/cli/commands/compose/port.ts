import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { publishersOf } from "../../../docker/compose-row.ts"
import { arg } from "../../args.ts"
import { oneOfService } from "../../compose/chosen-containers.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"

const MAX_PORT = 65_535

export default composeCommand({
  summary: "Print the public port for a port binding",
  args: [arg.one("SERVICE", "services"), arg.one("PRIVATE_PORT")],
  flags: {
    index: flag.int("Index of the container if service has multiple replicas"),
    protocol: flag.choice(["tcp", "udp", "sctp"], "Protocol of the port: tcp or udp", { initial: "tcp" }),
  },
  async run({ args: [service, text], flags, engine, out, compose }) {
    const [port, protocol = flags.protocol ?? "tcp"] = readPort(text)
    const name = await compose.name()
    const { container } = oneOfService(await engine.containers(), name, { service, index: flags.index })
    const ports = publishersOf(container)
    const found = ports.find((one) => one.TargetPort === port && one.Protocol === protocol)
    if (found !== undefined && found.PublishedPort > 0) {
      const host = found.URL.includes(":") ? `[${found.URL}]` : found.URL
      return out.line(`${host}:${found.PublishedPort}`)
    }
    const known = ports.map(({ TargetPort, Protocol }) => `${TargetPort}/${Protocol}`)
    throw new NotFound(`no port ${port}/${protocol} for container ${container.name}: ${known.join(", ")}`)
  },
})

/** `80`, `80/udp`. Throws InvalidArgument. */
function readPort(text: string): [port: number, protocol?: string] {
  const [, digits = "", protocol] = /^(\d{1,5})(?:\/(\w+))?$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === "" || port > MAX_PORT)
    throw new InvalidArgument(`invalid port "${text}"`, { hint: "expected 1 to 65535" })
  return protocol === undefined ? [port] : [port, protocol]
}
