import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { describeError } from "../../failure.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove one or more images",
  args: [arg.some("IMAGE", "images")],
  flags: {
    force: flag.bool("Force removal of the image", { short: "f" }),
    noPrune: flag.bool("Do not delete untagged parents"),
  },
  async run({ args: [names], flags, engine, out, globals }) {
    const images = await engine.images()
    let failed = false
    // one after another: two names of one image depend on each other
    for (const name of names) {
      try {
        const { untagged, deleted } = await images.remove(name, flags)
        for (const one of untagged) out.line(`Untagged: ${one}`)
        for (const one of deleted) out.line(`Deleted: ${one}`)
      } catch (error) {
        failed = true
        out.note(describeError(error, { debug: globals.debug, failureCode: 1 }).trimEnd())
      }
    }
    return failed ? 1 : 0
  },
})
