import { InvalidArgument } from "../../../base/errors.ts"
import type { Project, ProjectContainer } from "../../../compose/compose.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { checkServices, chosenContainers, oneOfService } from "../../compose/chosen-containers.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import type { OutputOptions } from "../../compose/logs/container-output.ts"
import { logStyle } from "../../compose/logs/log-style.ts"
import { monitorProject, type MonitorRequest } from "../../compose/logs/project-monitor.ts"
import { ProjectOutput } from "../../compose/logs/project-output.ts"
import { flag, type FlagValues } from "../../flag.ts"

const INTERRUPTED = 130

const FLAGS = {
  follow: flag.bool("Follow log output", { short: "f" }),
  index: flag.int("Index of the container if service has multiple replicas"),
  noColor: flag.bool("Produce monochrome output"),
  noLogPrefix: flag.bool("Don't print prefix in logs"),
  since: flag.time("Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)"),
  tail: flag.of(
    readTail,
    'Number of lines to show from the end of the logs for each container (default "all")',
    "string",
    {
      short: "n",
    },
  ),
  timestamps: flag.bool("Show timestamps", { short: "t" }),
  until: flag.time("Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)"),
}

export default composeCommand({
  summary: "View output from containers",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: FLAGS,
  async run({ args: [named], flags, engine, out, compose }) {
    const { name, project } = await compose.projectOrName(named)
    checkServices(project, named)
    const services = named.length > 0 ? named : attachedServices(project)
    const [containers, events] = await Promise.all([engine.containers(), engine.events()])
    const since = { id: events.lastId() }
    const found =
      flags.index === undefined || flags.index <= 0
        ? chosenContainers(containers, name, { services, all: true })
        : [oneOfService(containers, name, { service: named[0] ?? "", index: flags.index, all: true })]
    using interrupt = new AbortOnInterrupt()
    const { signal } = interrupt
    const output = new ProjectOutput(containers, logStyle(compose, flags, out), readOptions(flags, signal))
    for (const one of found) output.show(one)
    if (flags.follow) {
      const ids = found.filter(isUp).map(({ container }) => container.id)
      const request = { containers, events, project: name, services, ids, since, until: flags.until, signal }
      await output.unlessClosed(followEvents(output, request))
    }
    await output.end()
    return signal.aborted ? INTERRUPTED : 0
  },
})

async function followEvents(output: ProjectOutput, request: MonitorRequest): Promise<void> {
  for await (const event of monitorProject(request)) {
    if (event.kind === "started") output.show(event.one)
    output.tell(event)
  }
}

function readOptions(flags: FlagValues<typeof FLAGS>, signal: AbortSignal): OutputOptions {
  const { follow, since, until, tail } = flags
  return {
    follow,
    signal,
    ...(since && { since }),
    ...(until && { until }),
    ...(tail !== undefined && tail >= 0 && { tail }),
  }
}

/** Undefined: all. Those that do not want to be seen are, when they are named. */
function attachedServices(project: Project | undefined): string[] {
  return Object.entries(project?.services ?? {}).flatMap(([name, { attach }]) => (attach === false ? [] : [name]))
}

function isUp({ container: { state } }: ProjectContainer): boolean {
  return state.status === "running" || state.status === "paused" || state.status === "restarting"
}

/** Lines; -1: all. */
function readTail(text: string): number {
  if (text === "all" || text === "-1") return -1
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgument('expected a number of lines, or "all"')
  return Number(text)
}
