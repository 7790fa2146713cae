import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { timeoutFlag, timeoutOption } from "../../compose/time-flag.ts"

export default composeCommand({
  summary: "Stop services",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: { timeout: timeoutFlag },
  async run({ args: [services], flags, compose }) {
    const target = { ...(await compose.projectOrName(services)), services }
    await compose.showing("Stopping", (verbs, options) =>
      verbs.stop(target, { ...options, ...timeoutOption(flags.timeout) }),
    )
  },
})
