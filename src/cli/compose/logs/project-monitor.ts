import { isSkiffError } from "../../../base/errors.ts"
import { asProjectContainer, LABEL, type ProjectContainer } from "../../../compose/compose.ts"
import type { Containers } from "../../../container/container.ts"
import type { Event, Events } from "../../../event/event.ts"

/** What happened to a container of the project. */
export type MonitorEvent =
  | { kind: "started"; one: ProjectContainer }
  | { kind: "exited"; id: string; source: string; service: string; exitCode: number; isRestarting: boolean }
  /** Another took its place. */
  | { kind: "recreated"; replaced: string }

/** What is looked at. */
export interface MonitorRequest {
  containers: Containers
  events: Events
  project: string
  /** Empty: all. */
  services: readonly string[]
  /** Ids of those that keep it going: it ends when none is left that runs or may still be started. */
  ids: Iterable<string>
  /** Events after this one. */
  since: { id: number }
  until?: Date | undefined
  signal?: AbortSignal | undefined
  /** It does not end while this says so: a restart has two halves. */
  isHeld?: () => boolean
  /** What ends now does so for good. */
  isEnding?: () => boolean
}

/** One that was stopped on purpose may be on its way to being started again. */
const RESTART_GRACE_MS = 1_000

/** Tells what happens to a project's containers, `run`'s left out, until all have ended. */
export async function* monitorProject(request: MonitorRequest): AsyncGenerator<MonitorEvent, void, undefined> {
  const { events, project, since, until, signal, containers } = request
  const alive = new Set(request.ids)
  if (alive.size === 0) return
  const killed = new Set<string>()
  const filter = { types: ["container"], labels: [`${LABEL.project}=${project}`] }
  await using watch = events.watch({ filter, since, ...(until && { until }), ...(signal && { signal }) })
  let next = watch.next()
  for (;;) {
    const isOver = alive.size === 0
    if (isOver && (killed.size === 0 || request.isEnding?.()) && !request.isHeld?.()) return
    const result = await (isOver ? Promise.race([next, after(RESTART_GRACE_MS)]) : next)
    if (result === undefined) {
      if (request.isHeld?.()) continue
      return
    }
    if (result.done) return
    next = watch.next()
    const event = result.value
    if (!isWatched(event, request)) continue
    const { id } = event.actor
    if (event.action === "kill") killed.add(id)
    if (event.action === "create" || event.action === "start") {
      alive.add(id)
      killed.delete(id)
    }
    const found = monitorEvent(event, containers)
    if (found?.kind === "exited" && !found.isRestarting) {
      alive.delete(id)
      // it ended by itself: nobody starts it again
      if (!killed.has(id)) killed.clear()
    }
    // one that waited to be restarted has died before
    const isGone = event.action === "destroy" || (event.action === "stop" && !isUp(find(containers, id)))
    if (isGone) alive.delete(id)
    if (found !== undefined) yield found
  }
}

function isWatched({ actor: { attributes } }: Event, { services }: MonitorRequest): boolean {
  if (attributes[LABEL.oneOff] === "True" || attributes[LABEL.configHash] === undefined) return false
  return services.length === 0 || services.includes(attributes[LABEL.service] ?? "")
}

function monitorEvent({ action, actor }: Event, containers: Containers): MonitorEvent | undefined {
  const { id, attributes } = actor
  switch (action) {
    case "start": {
      const one = find(containers, id)
      return one && { kind: "started", one }
    }
    case "create": {
      const replaced = attributes[LABEL.replace]
      return replaced === undefined ? undefined : { kind: "recreated", replaced }
    }
    case "die": {
      const status = find(containers, id)?.container.state.status
      return {
        kind: "exited",
        id,
        source: sourceOf(attributes),
        service: attributes[LABEL.service] ?? "",
        exitCode: Number(attributes.exitCode ?? 0),
        isRestarting: status === "restarting" || status === "running",
      }
    }
    default:
      return undefined
  }
}

/** As `shortName`, of one that may be gone. */
function sourceOf(attributes: Readonly<Record<string, string>>): string {
  const { name = "" } = attributes
  const [project = "", service, number] = [LABEL.project, LABEL.service, LABEL.number].map((label) => attributes[label])
  return ["-", "_"].some((separator) => name === [project, service, number].join(separator))
    ? name.slice(project.length + 1)
    : name
}

function isUp(one: ProjectContainer | undefined): boolean {
  const status = one?.container.state.status
  return status === "running" || status === "paused" || status === "restarting"
}

function find(containers: Containers, id: string): ProjectContainer | undefined {
  try {
    return asProjectContainer(containers.get(id))
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
