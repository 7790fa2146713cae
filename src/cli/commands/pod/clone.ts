import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { UsageError } from "../../errors/usage-error.ts"

export default command({
  summary: "Clone an existing pod, with its containers",
  args: [arg.one("POD", "pods"), arg.optional("NAME")],
  flags: {
    destroy: flag.bool("Remove the original pod"),
    name: flag.string("Name the new pod", "string", { short: "n" }),
    start: flag.bool("Start the new pod"),
  },
  failureCode: 125,
  async run({ args: [source, nameArg], flags, engine, out }) {
    if (nameArg !== undefined && flags.name !== undefined)
      throw new UsageError("cannot specify both a name as argument and --name")
    const name = nameArg ?? flags.name
    const pods = await engine.pods()
    const { id } = await pods.clone(source, name === undefined ? {} : { name })
    // before the start: the clone publishes the same ports
    if (flags.destroy) await pods.remove(source, { force: true })
    if (flags.start) await pods.start(id)
    out.line(id)
  },
})
