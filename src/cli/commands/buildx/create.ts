import { Unsupported } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { BUILDX_FLAGS } from "../../one-builder.ts"

export default command({
  summary: "Create a builder instance: refused, as one is there and does what others are made for",
  args: [arg.optional("CONTEXT|ENDPOINT")],
  flags: {
    append: flag.bool("Append a node to builder instead of changing it"),
    bootstrap: flag.bool("Boot builder after creation"),
    buildkitdConfig: flag.string("BuildKit daemon config file"),
    buildkitdFlags: flag.string("BuildKit daemon flags"),
    debug: BUILDX_FLAGS.debug,
    driver: flag.string("Driver to use"),
    driverOpt: flag.strings("Options for the driver"),
    leave: flag.bool("Remove a node from builder instead of changing it"),
    name: flag.string("Builder instance name"),
    node: flag.string("Create/modify node with given name"),
    platform: flag.strings("Fixed platforms for current node"),
    use: flag.bool("Set the current builder instance"),
  },
  async run() {
    throw new Unsupported("there is one builder, and no daemon that another could be", {
      hint: "leave this command out: images of several platforms, caches in registries and attestations need none",
    })
  },
})
