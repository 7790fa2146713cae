import { arg } from "../../args.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  args: [arg.one("SOURCE_IMAGE[:TAG]", "images"), arg.one("TARGET_IMAGE[:TAG]")],
  flags: {},
  async run({ args: [source, target], engine, dialect }) {
    ;(await engine.images()).tag(source, dialect.results.newName(target))
  },
})
