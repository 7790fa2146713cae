import { arg } from "../../args.ts"
import { command } from "../../command.ts"

/** conmon's exit command: writes the end down, cleans up, removes or restarts. */
export default command({
  summary: "Reconcile the end of a container",
  args: [arg.one("ID")],
  flags: {},
  async run({ args: [id], engine }) {
    await (await engine.containers()).cleanup(id)
  },
})
