import { isSkiffError, Unsupported } from "../../../base/errors.ts"
import type { Images } from "../../../image/image.ts"
import type { Platform } from "../../../spec/platform.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { imageMember, MEMBER_PLATFORM_FLAG } from "../../image-member.ts"
import { flag } from "../../flag.ts"
import { UsageError } from "../../errors/usage-error.ts"

export default command({
  summary: "Remove one or more images",
  args: [arg.rest("[IMAGE...]", "images")],
  flags: {
    all: flag.bool("Remove all images", { short: "a" }),
    force: flag.bool("Force removal of the image", { short: "f" }),
    ignore: flag.bool("Ignore errors if a specified image does not exist", { short: "i" }),
    platform: MEMBER_PLATFORM_FLAG,
    noPrune: flag.bool("Do not delete untagged parents"),
  },
  async run({ args: [given], flags, engine, out, report, dialect }) {
    if (flags.all === given.length > 0)
      throw new UsageError("give names of images, or --all", { hint: "see: skiff rmi --help" })
    const images = await engine.images()
    const names = flags.all ? images.list().flatMap(({ id, tags }) => (tags.length > 0 ? tags : [id])) : given
    let code = 0
    // one after another: two names of one image depend on each other
    for (const name of names) {
      try {
        if (flags.platform !== undefined) await checkOnly(images, name, flags.platform)
        const { untagged, deleted } = await images.remove(name, flags)
        for (const one of untagged) out.line(`Untagged: ${one}`)
        for (const one of dialect.results.deleted(deleted)) out.line(`Deleted: ${one}`)
      } catch (error) {
        const isMissing = isSkiffError(error, "NotFound")
        if (flags.ignore && isMissing) continue
        if (flags.force && isMissing && !dialect.results.tellsMissing) continue
        const failed = await report(error)
        // docker: with --force, what is not there is told, and no failure
        if (!flags.force || !isMissing) code = failed
      }
    }
    return code
  },
})

/** One image of an index has no name of its own to be taken away. */
async function checkOnly(images: Images, name: string, platform: Platform): Promise<void> {
  await imageMember(images, name, platform)
  if (((await images.findSet(name))?.members.length ?? 1) > 1)
    throw new Unsupported(`"${name}" leads to images of several platforms, which go together`, {
      hint: "remove the name as a whole: leave --platform out",
    })
}
