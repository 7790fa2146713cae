import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { exists } from "../../exists.ts"

export default command({
  summary: "Check whether an image exists: exit code 0 if it does, 1 if not",
  args: [arg.one("IMAGE", "images")],
  flags: {},
  failureCode: 125,
  async run({ args: [name], engine }) {
    const images = await engine.images()
    return exists(() => images.find(name))
  },
})
