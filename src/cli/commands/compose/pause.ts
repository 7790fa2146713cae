import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"

export default composeCommand({
  summary: "Pause services",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {},
  async run({ args: [services], compose }) {
    const target = { ...(await compose.projectOrName(services)), services }
    await compose.showing("Pausing", (verbs, options) => verbs.pause(target, options))
  },
})
