import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { imageMember, MEMBER_PLATFORM_FLAG } from "../../image-member.ts"
import { inspectEach } from "../../inspect-each.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Display detailed information on one or more images",
  args: [arg.some("IMAGE", "images")],
  flags: { ...DOCUMENT_FORMAT_FLAGS, platform: MEMBER_PLATFORM_FLAG },
  async run({ args: [names], flags, ...context }) {
    const images = await context.engine.images()
    const documents = await context.dialect.documents()
    return inspectEach(names, flags, context, async (name) => {
      const { platform } = flags
      const id = platform === undefined ? name : (await imageMember(images, name, platform)).image.id
      return documents.image(await images.inspect(id))
    })
  },
})
