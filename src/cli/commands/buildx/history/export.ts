import { Unsupported } from "../../../../base/errors.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { BUILDX_FLAGS } from "../../../one-builder.ts"

export default command({
  summary: "Export builds for Docker Desktop (refused)",
  args: [arg.rest("[REF...]")],
  flags: {
    ...BUILDX_FLAGS,
    all: flag.bool("Export all builds"),
    finalize: flag.bool("Write down running builds first"),
    output: flag.string("File of the bundle", "string", { short: "o" }),
  },
  async run() {
    throw new Unsupported("builds are not exported as Docker Desktop's bundles", {
      hint: "take what is known of one: skiff buildx history inspect --format json; its log: skiff buildx history logs",
    })
  },
})
