import { Unsupported } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { REGISTRY_FLAGS } from "../../registry-flags.ts"

export default command({
  summary: "Run the command line in a label of an image: refused, as it is the image's word on this host",
  args: [arg.one("LABEL"), arg.one("IMAGE", "images"), arg.rest("[ARG...]")],
  flags: {
    authfile: REGISTRY_FLAGS.authfile,
    certDir: REGISTRY_FLAGS.certDir,
    creds: REGISTRY_FLAGS.creds,
    display: flag.bool("Print the command line alone"),
    name: flag.string("Name of the container", "string", { short: "n" }),
    quiet: flag.bool("Suppress output", { short: "q" }),
    replace: flag.bool("Remove a container of that name first"),
    tlsVerify: REGISTRY_FLAGS.tlsVerify,
  },
  flagsBeforeWords: true,
  async run({ args: [label, image], flags, engine, out }) {
    const images = await engine.images()
    const value = (await images.config(images.get(image))).config?.Labels?.[label]
    if (value === undefined) throw new Unsupported(`image "${image}" has no label "${label}"`)
    // to be read by a person, and by no shell
    if (flags.display) return out.line(`command: ${value}`)
    throw new Unsupported("a label of an image is a stranger's command line: it is not run on this host", {
      hint: `read it, and type what you want of it: skiff container runlabel --display ${label} ${image}`,
    })
  },
})
