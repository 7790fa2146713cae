import { selectServices } from "../../../compose/compose.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Pull service images",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    ignoreBuildable: flag.bool("Ignore images that can be built"),
    ignorePullFailures: flag.bool("Pull what it can and ignores images with pull failures"),
    includeDeps: flag.bool("Also pull services declared as dependencies"),
    noParallel: flag.bool("Pull one after another", { hidden: true }),
    parallel: flag.bool("Pull multiple images in parallel: always done", { hidden: true, initial: true }),
    policy: flag.choice(["missing", "always"], 'Apply pull policy ("missing"|"always")'),
    quiet: flag.bool("Pull without printing progress information", { short: "q" }),
  },
  examples: ["skiff compose pull", "skiff compose pull --ignore-buildable"],
  async run({ args: [names], flags, compose, out }) {
    using interrupt = new AbortOnInterrupt()
    const project = selectServices(
      await compose.project(names, { skipEnvironmentResolution: true }),
      names,
      flags.includeDeps ? "dependencies" : "nothing",
    )
    using display = flags.quiet ? undefined : await compose.display("Pulling")
    const { mustBuild } = await (
      await compose.compose()
    ).pull(project, {
      policy: flags.policy,
      ignoreFailures: flags.ignorePullFailures,
      ignoreBuildable: flags.ignoreBuildable,
      limit: flags.noParallel ? 1 : compose.parallelLimit,
      signal: interrupt.signal,
      isDryRun: compose.isDryRun,
      ...(display ? { onEvent: display.onEvent } : {}),
    })
    display?.[Symbol.dispose]()
    if (mustBuild.length > 0)
      out.note(
        `Some service image(s) must be built from source by running:\n    skiff compose build ${mustBuild.join(" ")}`,
      )
  },
})
