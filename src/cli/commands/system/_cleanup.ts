import { arg } from "../../args.ts"
import { command } from "../../command.ts"

/** conmon's exit command: writes the end down, cleans up, removes or restarts. */
export default command({
  summary: "Reconcile the end of a container, or of an exec in it",
  args: [arg.one("ID"), arg.optional("EXEC")],
  flags: {},
  async run({ args: [id, execId], engine }) {
    // the monitor starts us in the run directory, which goes with the container's end
    process.chdir("/")
    await (await engine.containers()).cleanup(id, execId)
  },
})
