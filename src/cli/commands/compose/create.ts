import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { runUp } from "../../compose/run-up.ts"
import { confirmation, CREATE_FLAGS, createOptions, EXPLAIN_FLAG } from "../../compose/up-flags.ts"

export default composeCommand({
  summary: "Creates containers for a service",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: { ...CREATE_FLAGS, explain: EXPLAIN_FLAG },
  async run({ args: [services], flags, compose, out }) {
    const options = createOptions(flags)
    const project = await compose.project(services)
    await runUp(
      compose,
      project,
      { ...options, services, start: false, confirm: confirmation(flags.yes) },
      { title: "Creating", explain: flags.explain ? out : undefined },
    )
  },
})
