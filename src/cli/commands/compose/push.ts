import { selectServices } from "../../../compose/compose.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Push service images",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    ignorePushFailures: flag.bool("Push what it can and ignores images with push failures"),
    includeDeps: flag.bool("Also push images of services declared as dependencies"),
    quiet: flag.bool("Push without printing progress information", { short: "q" }),
  },
  examples: ["skiff compose push web"],
  async run({ args: [names], flags, compose }) {
    using interrupt = new AbortOnInterrupt()
    const project = selectServices(
      await compose.project(names, { skipEnvironmentResolution: true }),
      names,
      flags.includeDeps ? "dependencies" : "nothing",
    )
    using display = flags.quiet ? undefined : await compose.display("Pushing")
    await (
      await compose.compose()
    ).push(project, {
      ignoreFailures: flags.ignorePushFailures,
      limit: compose.parallelLimit,
      signal: interrupt.signal,
      isDryRun: compose.isDryRun,
      ...(display ? { onEvent: display.onEvent } : {}),
    })
  },
})
