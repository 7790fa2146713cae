import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { DIFF_FORMAT_FLAGS, printFileChanges } from "../../output/file-changes.ts"
import { snapshotNamed } from "../../snapshot-named.ts"

export default command({
  summary: "Inspect changes to files or directories of an image",
  args: [arg.one("IMAGE", "images"), arg.optional("IMAGE|CONTAINER", "objects")],
  flags: DIFF_FORMAT_FLAGS,
  async run({ args: [name, other], flags, engine, out }) {
    const since = other === undefined ? undefined : ((await snapshotNamed(engine, other)) ?? "nothing")
    const images = await engine.images()
    await printFileChanges(out, images.fileChanges(name, since === undefined ? {} : { since }), flags)
  },
})
