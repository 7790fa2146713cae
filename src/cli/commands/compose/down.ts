import { readBoolean } from "../../../spec/docker/boolean.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { timeoutFlag, timeoutOption } from "../../compose/time-flag.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Stop and remove containers, networks",
  args: [arg.rest("[SERVICES]", "services")],
  flags: {
    removeOrphans: flag.bool("Remove containers for services not defined in the Compose file"),
    rmi: flag.string(
      'Remove images used by services. "local" remove only images that don\'t have a custom tag ("local"|"all")',
      "string",
      { completes: ["local", "all"] },
    ),
    timeout: timeoutFlag,
    volumes: flag.bool(
      'Remove named volumes declared in the "volumes" section of the Compose file and anonymous volumes attached to containers',
      { short: "v", aliases: ["volume"] },
    ),
  },
  async run({ args: [services], flags, compose, out }) {
    const { volumes } = flags
    const images = readImages(flags.rmi)
    const target = { ...(await compose.projectOrName(services)), services }
    const removeOrphans = flags.removeOrphans || readBoolean(process.env.COMPOSE_REMOVE_ORPHANS || "false")
    const found = await compose.showing("Running", (verbs, options) =>
      verbs.down(target, { ...options, ...timeoutOption(flags.timeout), removeOrphans, volumes, images }),
    )
    // of a project that is known by its name alone, as docker says it
    if (!found && target.project === undefined)
      out.note(`Warning: No resource found to remove for project "${target.name}".`)
  },
})

/** Throws UsageError, in docker's words. */
function readImages(text = ""): "local" | "all" | undefined {
  if (text === "") return undefined
  if (text === "local" || text === "all") return text
  throw new UsageError(`invalid value for --rmi: "${text}"`, {}, 1)
}
