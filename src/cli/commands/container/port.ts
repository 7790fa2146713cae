import { NotFound } from "../../../base/errors.ts"
import { shortId } from "../../../base/short-id.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainer, isUp } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { readContainerPort } from "../../container-port.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { formatHostEnd, portsByFamily, publishedPorts } from "../../../docker/port-text.ts"
import type { PortMapping } from "../../../spec/docker/port-mapping.ts"
import type { Out } from "../../out.ts"

const { all, latest } = CHOICE_FLAGS

export default command({
  summary: "List port mappings or a specific mapping for the container",
  args: [arg.one("CONTAINER", "running", { unless: ["all", "latest"] }), arg.optional("PRIVATE_PORT[/PROTO]")],
  flags: {
    all,
    latest,
    check: flag.bool("Ask each published port whether somebody answers, and say why not"),
    ...LIST_FORMAT_FLAGS,
    reach: flag.bool("Tell from where each port is reached"),
  },
  async run({ args: [given, wanted], flags, engine, out, dialect }) {
    const portsOf = dialect.networks.tellsFamilies ? portsByFamily : publishedPorts
    const containers = await engine.containers()
    if (flags.all && (flags.latest || wanted !== undefined)) throw new UsageError("no arguments are needed with --all")
    if (flags.check || flags.reach || flags.json || flags.format !== undefined) {
      const { printReach } = await import("../../port-reach.ts")
      const asked = flags.all
        ? containers.list({ all: true }).filter(isUp)
        : [containers.get(chooseContainer(containers, given, flags))]
      return printReach({ engine, out, containers: asked, port: wanted, flags })
    }
    if (flags.all) {
      for (const one of containers.list({ all: true }).filter(isUp)) printAll(portsOf(one), out, `${shortId(one.id)}\t`)
      return
    }
    const name = chooseContainer(containers, given, flags)
    const container = containers.get(name)
    if (wanted === undefined) return printAll(portsOf(container), out)
    const { number, protocol, isWanted } = readContainerPort(wanted)
    const found = portsOf(container).filter(isWanted)
    if (found.length === 0)
      throw new NotFound(`no public port '${number}/${protocol}' published for ${name}`, {
        hint: `see: skiff port ${name}`,
      })
    for (const port of found) out.line(formatHostEnd(port))
  },
})

function printAll(ports: readonly PortMapping[], out: Out, before = ""): void {
  for (const port of ports) out.line(`${before}${port.containerPort}/${port.protocol} -> ${formatHostEnd(port)}`)
}
