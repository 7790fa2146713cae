import { LABEL, type Compose } from "../../compose/compose.ts"
import type { Containers } from "../../container/container.ts"
import type { Engine } from "../../engine/engine.ts"
import type { Context } from "../command.ts"
import { forEachName } from "../each.ts"

interface StartContext extends Pick<Context<[], Record<never, never>>, "out" | "report"> {
  engine: Engine
  containers: Containers
}

/**
 * Starts all of these: those of compose's projects by project, each after those that it depends on and when their conditions hold, as at
 * boot nobody else would see to it. A failure is told and the others go on; gives the exit code.
 */
export async function startAll(
  { engine, containers, out, report }: StartContext,
  names: readonly string[],
  start: (name: string) => Promise<void>,
): Promise<number> {
  const { plain, projects } = grouped(containers, names)
  const codes = [forEachName(plain, { out, report }, start)]
  if (projects.size > 0) {
    const compose = await engine.compose()
    for (const [project, members] of projects)
      codes.push(forEachName([project], { out, report }, () => startProject(compose, project, members)))
  }
  return Math.max(...(await Promise.all(codes)))
}

/** Gives the names of its containers, a line each. */
async function startProject(compose: Compose, name: string, members: readonly Member[]): Promise<string> {
  await compose.start({ name, services: [...new Set(members.map(({ service }) => service))] })
  return members.map((member) => member.name).join("\n")
}

interface Member {
  name: string
  service: string
}

function grouped(containers: Containers, names: readonly string[]) {
  const plain: string[] = []
  const projects = new Map<string, Member[]>()
  for (const name of names) {
    const { labels } = containers.get(name).options
    const { [LABEL.project]: project, [LABEL.service]: service } = labels
    const isOurs = labels[LABEL.configHash] !== undefined && labels[LABEL.oneOff] !== "True"
    if (project === undefined || service === undefined || !isOurs) plain.push(name)
    else projects.set(project, [...(projects.get(project) ?? []), { name, service }])
  }
  return { plain, projects }
}
