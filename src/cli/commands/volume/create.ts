import { Unsupported } from "../../../base/errors.ts"
import { parseKeyValue } from "../../../spec/docker/environment.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Create a volume",
  args: [arg.optional("VOLUME")],
  flags: {
    driver: flag.string("Specify volume driver name", "string", { short: "d" }),
    label: flag.list(parseKeyValue, "Set metadata for a volume", "list", { short: "l" }),
  },
  async run({ args: [name], flags, engine, out }) {
    if ((flags.driver ?? "local") !== "local")
      throw new Unsupported(`no such volume driver: "${flags.driver}"`, { hint: "valid: local" })
    const labels = Object.fromEntries(flags.label)
    const volumes = await engine.volumes()
    out.line(volumes.create({ labels, anonymous: name === undefined, ...(name === undefined ? {} : { name }) }).name)
  },
})
