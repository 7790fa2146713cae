import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { exists } from "../../exists.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Check whether a container exists: exit code 0 if it does, 1 if not",
  args: [arg.one("CONTAINER", "containers")],
  flags: { external: flag.bool("Look among the working containers of builds, too") },
  failureCode: 125,
  async run({ args: [name], flags, engine }) {
    const containers = await engine.containers()
    const code = await exists(() => containers.get(name))
    if (code === 0 || !flags.external) return code
    const workingContainers = await engine.workingContainers()
    return exists(() => workingContainers.get(name))
  },
})
