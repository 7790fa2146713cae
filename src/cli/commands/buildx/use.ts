import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { BUILDX_FLAGS, checkBuilder } from "../../one-builder.ts"

export default command({
  summary: "Set the current builder instance, of which there is one",
  args: [arg.one("NAME")],
  flags: {
    ...BUILDX_FLAGS,
    default: flag.bool("Set builder as default for current context, which it is"),
    global: flag.bool("Builder persists context changes, of which there are none"),
  },
  async run({ args: [name] }) {
    checkBuilder(name)
  },
})
