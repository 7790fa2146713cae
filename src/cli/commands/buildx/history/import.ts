import { Unsupported } from "../../../../base/errors.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { BUILDX_FLAGS } from "../../../one-builder.ts"

export default command({
  summary: "Import builds into Docker Desktop (refused)",
  args: [arg.rest("[REF...]")],
  flags: {
    ...BUILDX_FLAGS,
    file: flag.strings("Bundles", "file", { short: "f" }),
  },
  async run() {
    throw new Unsupported("there is no Docker Desktop to import builds into", {
      hint: "a bundle of builds is read by Docker Desktop",
    })
  },
})
