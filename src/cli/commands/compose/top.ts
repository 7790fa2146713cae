import type { ProjectContainer } from "../../../compose/compose.ts"
import { arg } from "../../args.ts"
import { checkServices, chosenContainers } from "../../compose/chosen-containers.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { alignColumns } from "../../output/columns.ts"

const COLUMNS = { least: 4, gap: 2 }
const LAST = "CMD"

export default composeCommand({
  summary: "Display the running processes",
  args: [arg.rest("[SERVICES...]", "services")],
  flags: {},
  async run({ args: [services], engine, out, compose, dialect }) {
    const { name, project } = await compose.projectOrName(services)
    checkServices(project, services)
    const containers = await engine.containers()
    const rows: Map<string, string>[] = []
    for (const one of chosenContainers(containers, name, { services, oneOffs: true })) {
      if (one.container.state.status === "restarting") continue
      const { titles, processes } = await containers.top(one.container.id, dialect.topWords)
      for (const cells of processes) rows.push(rowOf(one, titles, cells))
    }
    if (rows.length === 0) return
    const titles = titlesOf(rows)
    const lines = [titles, ...rows.map((row) => titles.map((title) => row.get(title) ?? "-"))]
    for (const line of alignColumns(
      lines.map((cells) => cells.join("\t")),
      COLUMNS,
    ))
      out.line(line)
  },
})

function rowOf(
  { service, number }: ProjectContainer,
  titles: readonly string[],
  cells: readonly string[],
): Map<string, string> {
  return new Map([
    ["SERVICE", service],
    ["#", number === 0 ? "" : String(number)],
    ...titles.map((title, index): [string, string] => [title, cells[index] ?? ""]),
  ])
}

/** In the order in which they come; the command, which may have any length, last. */
function titlesOf(rows: readonly Map<string, string>[]): string[] {
  const titles = new Set(rows.flatMap((row) => [...row.keys()]))
  return titles.delete(LAST) ? [...titles, LAST] : [...titles]
}
