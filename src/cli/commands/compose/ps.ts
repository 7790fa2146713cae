import { InvalidArgument } from "../../../base/errors.ts"
import type { ProjectContainer } from "../../../compose/compose.ts"
import { COMPOSE_TITLES, composeRow } from "../../../docker/compose-row.ts"
import { arg } from "../../args.ts"
import { checkServices, chosenContainers } from "../../compose/chosen-containers.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

const STATUSES = ["paused", "restarting", "removing", "running", "dead", "created", "exited"]
const TABLE = "table {{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}"

export default composeCommand({
  summary: "List containers",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    all: flag.bool("Show all stopped containers (including those created by the run command)", { short: "a" }),
    filter: flag.string("Filter services by a property (supported filters: status)"),
    ...LIST_FORMAT_FLAGS,
    noTrunc: flag.bool("Don't truncate output"),
    orphans: flag.bool("Include orphaned services (not declared by project)", { initial: true }),
    quiet: flag.bool("Only display IDs", { short: "q" }),
    services: flag.bool("Display services"),
    status: flag.strings(`Filter services by status. Values: [${STATUSES.join(" | ")}]`, "stringArray", {
      completes: STATUSES,
    }),
  },
  async run({ args: [named], flags, engine, out, compose }) {
    const statuses = [...flags.status, ...statusOf(flags.filter)]
    const { name, project } = await compose.projectOrName(named)
    checkServices(project, named)
    const declared = project !== undefined && !flags.orphans ? Object.keys(project.services) : []
    const services = named.length > 0 ? named : declared
    const all = flags.all || statuses.length > 0
    const found = chosenContainers(await engine.containers(), name, { services, all, oneOffs: flags.all })
    const shown = found.filter(({ container: { state } }) => statuses.length === 0 || statuses.includes(state.status))
    if (flags.quiet) return lines(shown.map(({ container }) => container.id))
    if (flags.services) return lines(servicesOf(shown))
    const rows = shown.map((one) => composeRow(one, flags))
    printList(out, rows, { ...flags, quiet: false }, { titles: COMPOSE_TITLES, table: TABLE, quiet: "" })

    function lines(texts: readonly string[]): void {
      for (const text of texts) out.line(text)
    }
  },
})

/** Throws InvalidArgument. */
function statusOf(filter: string | undefined): string[] {
  if (filter === undefined || filter === "") return []
  const [, key, value = ""] = /^([^=]*)=(.*)$/s.exec(filter) ?? []
  if (key === undefined)
    throw new InvalidArgument("arguments to --filter should be in form KEY=VAL", { field: "filter" })
  if (key !== "status") throw new InvalidArgument(`unknown filter ${key}`, { hint: "expected status", field: "filter" })
  return [value]
}

function servicesOf(shown: readonly ProjectContainer[]): string[] {
  return [...new Set(shown.map(({ service }) => service))]
}
