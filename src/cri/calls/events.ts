/** What happens to containers and sandboxes, as it happens. */
import { isSkiffError } from "../../base/errors.ts"
import type { Event } from "../../event/event.ts"
import { podOf, type CriContext } from "../context.ts"
import type * as Cri from "../protocol/messages.ts"
import type { Handlers, Sent } from "../protocol/service.ts"
import { containersOf, containerStatus, noted } from "./container-status.ts"
import { listPods, sandboxStatus } from "./sandboxes.ts"

type Calls = Handlers<Pick<Cri.RuntimeServiceCalls, "GetContainerEvents">>

const OF_CONTAINERS: Record<string, Cri.ContainerEventType> = {
  create: "CONTAINER_CREATED_EVENT",
  start: "CONTAINER_STARTED_EVENT",
  die: "CONTAINER_STOPPED_EVENT",
  destroy: "CONTAINER_DELETED_EVENT",
}
/** A sandbox counts as one more container of its own id. */
const OF_PODS: Record<string, Cri.ContainerEventType> = {
  create: "CONTAINER_CREATED_EVENT",
  start: "CONTAINER_STARTED_EVENT",
  stop: "CONTAINER_STOPPED_EVENT",
  remove: "CONTAINER_DELETED_EVENT",
}

export function eventCalls(context: CriContext): Calls {
  return {
    async *GetContainerEvents(_, { signal }) {
      const events = await context.engine.events()
      await using watch = events.watch({ filter: { types: ["container", "pod"] }, signal })
      // a container that has gone says no more of which pod it was
      const podOfContainer = new Map(
        (await containersOf(context, {})).map(({ container, podId }) => [container.id as string, podId]),
      )
      const pods = new Set((await listPods(context, null)).map(({ pod }) => pod.id as string))
      for await (const event of watch) {
        const told = await tell(context, event, { podOfContainer, pods })
        if (told !== undefined) yield told
      }
    },
  }
}

async function tell(
  context: CriContext,
  { type, action, actor, timeNs }: Event,
  known: { podOfContainer: Map<string, string>; pods: Set<string> },
): Promise<Sent<Cri.ContainerEventResponse> | undefined> {
  const { id } = actor
  const kind = (type === "pod" ? OF_PODS : OF_CONTAINERS)[action]
  if (kind === undefined) return undefined
  if (type === "container" && !known.podOfContainer.has(id)) {
    const [found] = await containersOf(context, { id })
    if (found !== undefined) known.podOfContainer.set(id, found.podId)
  }
  const podId = type === "pod" ? id : known.podOfContainer.get(id)
  if (podId === undefined) return undefined
  const status = await statusOf(context, podId)
  if (status !== undefined) known.pods.add(podId)
  if (!known.pods.has(podId)) return undefined
  if (kind === "CONTAINER_DELETED_EVENT") (type === "pod" ? known.pods : known.podOfContainer).delete(id)
  return { container_id: id, container_event_type: kind, created_at: String(timeNs), ...status }
}

/** Undefined: the sandbox has gone, or is none of CRI's. */
async function statusOf(
  context: CriContext,
  podId: string,
): Promise<Pick<Sent<Cri.ContainerEventResponse>, "pod_sandbox_status" | "containers_statuses"> | undefined> {
  try {
    const found = await podOf(context, podId)
    const containers = found.pod.containers.flatMap((container) => noted(container) ?? [])
    return {
      pod_sandbox_status: sandboxStatus(found),
      containers_statuses: await Promise.all(containers.map((one) => containerStatus(context, one))),
    }
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}
