import { VERSION } from "../../../base/version.ts"
import { command } from "../../command.ts"
import { BUILDX_FLAGS } from "../../one-builder.ts"

export default command({
  summary: "Show the version of what builds",
  args: [],
  flags: { debug: BUILDX_FLAGS.debug },
  async run({ out }) {
    out.line(`skiff ${VERSION}`)
  },
})
