import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Start services",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    wait: flag.bool("Wait for services to be running|healthy"),
    waitTimeout: flag.int("Maximum duration in seconds to wait for the project to be running|healthy"),
  },
  async run({ args: [services], flags, compose }) {
    const target = { ...(await compose.projectOrName(services)), services }
    const { wait, waitTimeout: waitTimeoutSeconds } = flags
    await compose.showing("Starting", (verbs, options) => verbs.start(target, { ...options, wait, waitTimeoutSeconds }))
  },
})
