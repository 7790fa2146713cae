import { arg } from "../../args.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Rename a working container",
  args: [arg.one("CONTAINER"), arg.one("NEW_NAME")],
  flags: {},
  async run({ args: [name, newName], engine }) {
    ;(await engine.workingContainers()).rename(name, newName)
  },
})
