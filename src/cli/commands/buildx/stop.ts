import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { BUILDX_FLAGS, checkBuilder } from "../../one-builder.ts"

export default command({
  summary: "Stop the builder instance: between two builds nothing of it runs",
  args: [arg.optional("NAME")],
  flags: BUILDX_FLAGS,
  async run({ args: [name] }) {
    checkBuilder(name)
  },
})
