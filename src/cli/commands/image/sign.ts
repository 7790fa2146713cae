import { Unsupported } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { REGISTRY_FLAGS } from "../../registry-flags.ts"

export default command({
  summary: "Sign an image (refused: other programs sign)",
  args: [arg.some("IMAGE", "images")],
  flags: {
    all: flag.bool("Sign the images of all platforms", { short: "a" }),
    authfile: REGISTRY_FLAGS.authfile,
    certDir: REGISTRY_FLAGS.certDir,
    directory: flag.string("Directory of the signatures", "string", { short: "d" }),
    signBy: flag.string("Name of the key"),
  },
  async run({ args: [[image = ""]] }) {
    throw new Unsupported("images are not signed here: GPG's keys are not read", {
      hint: `push it, then: cosign sign ${image}, or skopeo copy --sign-by KEY docker://${image} docker://${image}`,
    })
  },
})
