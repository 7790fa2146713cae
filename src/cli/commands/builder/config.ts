import { arg } from "../../args.ts"
import { CONFIG_FLAGS, configChanges } from "../../build/config-flags.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Update the image configuration of the working container",
  args: [arg.one("CONTAINER")],
  flags: CONFIG_FLAGS,
  examples: [`skiff builder config --entrypoint '["nginx"]' --cmd "-g 'daemon off;'" --port 80 --env A=1 --env B- $c`],
  async run({ args: [container], flags, engine }) {
    await (await engine.workingContainers()).configure(container, configChanges(flags))
  },
})
