import { Unsupported } from "../../../../base/errors.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { BUILDX_FLAGS } from "../../../one-builder.ts"

export default command({
  summary: "Open a build in Docker Desktop (refused)",
  args: [arg.rest("[REF...]")],
  flags: BUILDX_FLAGS,
  async run() {
    throw new Unsupported("there is no Docker Desktop to open a build in", {
      hint: "see it here: skiff buildx history inspect",
    })
  },
})
