import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { runUp } from "../../compose/run-up.ts"
import { runWatch } from "../../compose/run-watch.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Watch build context for service and rebuild/refresh containers when files are updated",
  args: [arg.rest("[SERVICE...]")],
  flags: {
    noUp: flag.bool("Do not build & start services before watching"),
    prune: { ...flag.bool("Prune dangling images on rebuild"), initial: true },
    quiet: flag.bool("Hide build output"),
  },
  async run({ args: [services], flags, compose, engine, out, report }) {
    const project = await compose.project(services)
    // before anything is built: whether there is something to watch
    const { watched } = await import("../../compose/watched-services.ts")
    const names = watched(project, services)
    if (!flags.noUp)
      await runUp(compose, project, { services, start: true }, { title: "Running", quietBuild: flags.quiet })
    if (compose.isDryRun) return
    using interrupt = new AbortOnInterrupt()
    const onLine = (text: string) => out.line(text)
    await runWatch({
      compose,
      engine,
      project,
      services: names,
      onLine,
      report,
      signal: interrupt.signal,
      quiet: flags.quiet,
      prune: flags.prune,
    })
  },
})
