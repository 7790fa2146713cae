import { arg } from "../../args.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  args: [arg.one("SOURCE_IMAGE[:TAG]", "images"), arg.some("TARGET_IMAGE[:TAG]")],
  flags: {},
  async run({ args: [source, targets], engine, dialect }) {
    const images = await engine.images()
    for (const target of targets) images.tag(source, dialect.results.newName(target))
  },
})
