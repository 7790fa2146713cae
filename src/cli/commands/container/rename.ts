import { arg } from "../../args.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Rename a container",
  args: [arg.one("CONTAINER", "containers"), arg.one("NEW_NAME")],
  flags: {},
  async run({ args: [name, newName], engine }) {
    await (await engine.containers()).rename(name, newName)
  },
})
