import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { ENTRY_FLAGS, entryChanges } from "../../manifest/entry-flags.ts"
import { entryDigest } from "../../manifest/entry-digest.ts"
import { UsageError } from "../../errors/usage-error.ts"

export default command({
  summary: "Say of which platform an image of a manifest list is",
  args: [arg.one("LIST"), arg.optional("IMAGE")],
  flags: {
    ...ENTRY_FLAGS,
    index: flag.bool("Annotate the list itself"),
    osFeatures: flag.strings("Override the required features of the operating system", "list"),
    subject: flag.string("Set what the list refers to: an image of this store", "image"),
  },
  failureCode: 125,
  async run({ args: [list, image], flags, engine, out }) {
    const lists = await engine.manifestLists()
    const osFeatures = flags.osFeatures.flatMap((text) => text.split(","))
    const changes = { ...entryChanges(flags), ...(osFeatures.length > 0 && { osFeatures }) }
    const images = await engine.images()
    const subject = flags.subject === undefined ? undefined : images.get(flags.subject).manifest
    if (flags.index || subject !== undefined) {
      lists.annotateList(list, {
        ...(flags.index && changes.annotations !== undefined && { annotations: changes.annotations }),
        ...(subject !== undefined && { subject }),
      })
      if (image === undefined) return out.line(lists.get(list).name)
    }
    if (image === undefined) throw new UsageError("name an image of the list, or give --index")
    lists.annotate(list, entryDigest(lists.get(list), image, images), changes)
    out.line(lists.get(list).name)
  },
})
