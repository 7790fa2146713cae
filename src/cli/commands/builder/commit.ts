import { atomicWrite } from "../../../base/atomic-write.ts"
import { arg } from "../../args.ts"
import { BUILD_FLAGS } from "../../build/flags.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Create an image from a working container",
  args: [arg.one("CONTAINER"), arg.optional("IMAGE", "images")],
  flags: {
    format: flag.choice(["oci", "docker"], "Format of the image's manifest", { short: "f", initial: "oci" }),
    iidfile: BUILD_FLAGS.iidfile,
    quiet: flag.bool("Accepted as buildah does: nothing but the id is printed", { short: "q", hidden: true }),
    rm: flag.bool("Remove the container after its content has been committed to an image"),
    squash: flag.bool("Produce an image with only one layer"),
    timestamp: BUILD_FLAGS.timestamp,
  },
  async run({ args: [container, name], flags, engine, out }) {
    const working = await engine.workingContainers()
    const { id } = await working.commit(container, {
      format: flags.format ?? "oci",
      squash: flags.squash,
      ...(name === undefined ? {} : { name: name.replace(/^containers-storage:/, "") }),
      ...(flags.timestamp === undefined ? {} : { epoch: flags.timestamp }),
    })
    if (flags.rm) await working.remove(container)
    if (flags.iidfile !== undefined) atomicWrite(flags.iidfile, id, { mode: 0o644 })
    out.line(id)
  },
})
