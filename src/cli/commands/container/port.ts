import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { formatHostEnd, publishedPorts } from "../../../docker/port-text.ts"

export default command({
  summary: "List port mappings or a specific mapping for the container",
  args: [arg.one("CONTAINER", "running"), arg.optional("PRIVATE_PORT[/PROTO]")],
  flags: {},
  async run({ args: [name, wanted], engine, out }) {
    const ports = publishedPorts((await engine.containers()).get(name).attachments)
    if (wanted === undefined) {
      for (const port of ports) out.line(`${port.containerPort}/${port.protocol} -> ${formatHostEnd(port)}`)
      return
    }
    const [, number = "", protocol = "tcp"] = /^(\d{1,5})(?:\/(\w+))?$/.exec(wanted) ?? []
    if (number === "") throw new InvalidArgument(`invalid port "${wanted}"`, { hint: "expected such as 80 or 53/udp" })
    const found = ports.filter((port) => port.containerPort === Number(number) && port.protocol === protocol)
    if (found.length === 0)
      throw new NotFound(`no public port '${number}/${protocol}' published for ${name}`, {
        hint: `see: skiff port ${name}`,
      })
    for (const port of found) out.line(formatHostEnd(port))
  },
})
