import { LABEL, projectContainers, type ProjectContainer } from "../../../compose/compose.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

const TITLES = { Name: "NAME", Status: "STATUS", ConfigFiles: "CONFIG FILES" }
const LAYOUT = {
  titles: TITLES,
  table: "table {{.Name}}\t{{.Status}}\t{{.ConfigFiles}}",
  quiet: "{{.Name}}",
  columns: { least: 20, gap: 3 },
}

export default composeCommand({
  summary: "List running compose projects",
  args: [],
  flags: {
    all: flag.bool("Show all stopped Compose projects", { short: "a" }),
    filter: flag.strings("Filter output based on conditions provided", "filter"),
    ...LIST_FORMAT_FLAGS,
    quiet: flag.bool("Only display project names", { short: "q" }),
  },
  async run({ flags, engine, out }) {
    const { name: patterns = [] } = parseFilters(flags.filter, ["name"])
    const containers = projectContainers(await engine.containers())
    const rows = rowsOf(
      containers.filter(({ container: { state } }) => flags.all || state.status === "running"),
    ).filter(({ Name }) => patterns.length === 0 || patterns.some((pattern) => new RegExp(pattern).test(Name)))
    // docker's is one array in one line
    if (flags.format === "json" && !flags.quiet) out.line(JSON.stringify(rows))
    else printList(out, rows, flags.quiet ? { quiet: true } : flags, LAYOUT)
  },
})

/** One a project, by name. */
function rowsOf(containers: readonly ProjectContainer[]): { Name: string; Status: string; ConfigFiles: string }[] {
  return [...Map.groupBy(containers, ({ project }) => project)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([Name, members]) => ({ Name, Status: statusOf(members), ConfigFiles: filesOf(members) }))
}

/** `exited(1), running(2)`. */
function statusOf(members: readonly ProjectContainer[]): string {
  const counts = Map.groupBy(members, ({ container }) => container.state.status as string)
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([status, { length }]) => `${status}(${length})`)
    .join(", ")
}

function filesOf(members: readonly ProjectContainer[]): string {
  const files = members.map(({ container }) => container.options.labels[LABEL.configFiles] ?? "")
  return [...new Set(files.flatMap((text) => text.split(",")))].filter((file) => file !== "").join(",") || "N/A"
}
