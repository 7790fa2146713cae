import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Write the files of an artifact to a directory, or its one file to a path",
  args: [arg.one("ARTIFACT"), arg.one("PATH")],
  flags: {
    digest: flag.string("Only the file of this digest", "string"),
    title: flag.string("Only the file of this title", "string"),
  },
  failureCode: 125,
  async run({ args: [name, target], flags, engine }) {
    const { digest, title } = flags
    await (await engine.artifacts()).extract(name, target, { digest, title })
  },
})
