import type { Project } from "../../../compose/compose.ts"
import { arg } from "../../args.ts"
import { changedServices } from "../../compose/changed-services.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { withEnabled, type ComposeSession } from "../../compose/compose-session.ts"
import { timeoutFlag, timeoutOption } from "../../compose/time-flag.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import type { Out } from "../../out.ts"

export default composeCommand({
  summary: "Restart service containers",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    apply: flag.bool("Recreate those whose configuration or image changed since they were made"),
    noDeps: flag.bool("Don't restart dependent services"),
    timeout: timeoutFlag,
  },
  async run({ args: [services], flags, compose, out }) {
    const options = { ...timeoutOption(flags.timeout), withoutDependents: flags.noDeps }
    const target = { ...(await compose.wholeProjectOrName(services)), services }
    if (flags.apply) {
      if (target.project === undefined)
        throw new UsageError("--apply needs the project's files", { hint: "name them: compose -f FILE restart" }, 1)
      return applyChanges(compose, services, options)
    }
    await compose.showing("Restarting", (verbs, shown) => verbs.restart(target, { ...shown, ...options }))
    if (target.project !== undefined && !compose.isDryRun) await tellChanges(compose, services, out)
  },
})

interface Restart {
  timeoutSeconds?: number
  withoutDependents: boolean
}

/** What changed is recreated, the others are restarted. */
async function applyChanges(compose: ComposeSession, services: readonly string[], options: Restart): Promise<void> {
  const project = withEnabled(await compose.project(), services)
  const changed = (await changedServices(compose, project, services)).map(({ service }) => service)
  if (changed.length > 0) {
    const { runUp } = await import("../../compose/run-up.ts")
    const { timeoutSeconds } = options
    await runUp(
      compose,
      project,
      { services: changed, withoutDependencies: true, timeoutSeconds },
      { title: "Running" },
    )
  }
  const rest = restarted(project, services, changed, options).filter((name) => !changed.includes(name))
  if (rest.length === 0) return
  const target = { name: project.name, project, services: rest }
  await compose.showing("Restarting", (verbs, shown) => verbs.restart(target, { ...shown, ...options }))
}

/** The named ones, and those that are restarted along with what was recreated. */
function restarted(
  project: Project,
  services: readonly string[],
  changed: readonly string[],
  { withoutDependents }: Restart,
): string[] {
  const named = services.length > 0 ? services : Object.keys(project.services)
  if (withoutDependents) return [...named]
  const along = Object.entries(project.services).flatMap(([name, { depends_on: dependencies = {} }]) =>
    changed.some((one) => dependencies[one]?.restart === true) ? [name] : [],
  )
  return [...new Set([...named, ...along])]
}

/** The file is not looked at, which people are surprised by: what changed is said, and what applies it. */
async function tellChanges(compose: ComposeSession, services: readonly string[], out: Out): Promise<void> {
  try {
    const { project } = await compose.load(services)
    for (const { service, reason } of await changedServices(compose, project, services))
      out.note(
        `service "${service}" was restarted as it was made, and changed since: ${reason}; to apply it: skiff compose restart --apply ${service}`,
      )
  } catch {
    // a file that is wrong by now changes nothing of what was done
  }
}
