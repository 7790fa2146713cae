/** Containers as CRI shows them: of the engine's records, and of nothing else. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { isSkiffError } from "../../base/errors.ts"
import type { Container, ContainerDetails } from "../../container/container.ts"
import type { OciConfig } from "../../spec/oci-runtime.ts"
import { toResources } from "../config/resources.ts"
import { toSignal } from "../config/signals.ts"
import { fitsLabels, nanoseconds, type CriContext, type FoundContainer } from "../context.ts"
import { containerNote, podNote, type ContainerNote } from "../notes.ts"
import type * as Cri from "../protocol/messages.ts"
import type { Sent } from "../protocol/service.ts"

/** Which containers. */
export interface WantedContainers {
  id?: string
  podId?: string
  state?: Cri.ContainerState
  labels?: Readonly<Record<string, string>>
}

/** Undefined: it is none of CRI's. */
export function noted(container: Container): FoundContainer | undefined {
  const note = containerNote(container)
  const podId = container.options.pod?.id
  return note === undefined || podId === undefined ? undefined : { container, note, podId }
}

/** Those that fit, newest first. */
export async function containersOf({ engine }: CriContext, wanted: WantedContainers): Promise<FoundContainer[]> {
  const { id = "", podId = "", state, labels } = wanted
  const found = (await engine.containers()).list({ all: true }).flatMap((container) => noted(container) ?? [])
  return found.filter(
    (one) =>
      one.container.id.startsWith(id) &&
      one.podId.startsWith(podId) &&
      (state === undefined || stateOf(one.container) === state) &&
      fitsLabels(one.container.options.labels, labels),
  )
}

/** One that could not be started has ended, as kubelet sees it. */
export function stateOf({ state, ending }: Container): Cri.ContainerState {
  switch (state.status) {
    case "created":
      return ending === undefined ? "CONTAINER_CREATED" : "CONTAINER_EXITED"
    case "running":
    case "paused":
      return "CONTAINER_RUNNING"
    case "exited":
    case "restarting":
      return "CONTAINER_EXITED"
    case "removing":
      return "CONTAINER_UNKNOWN"
  }
}

/** What people named, where the container was made by an id. */
export function imageSpec({ note }: FoundContainer): Sent<Cri.ImageSpec> {
  const { image, user_specified_image } = note.image
  return { ...note.image, image: user_specified_image || image }
}

/** Its whole status. */
export async function containerStatus(
  { engine }: CriContext,
  found: FoundContainer,
): Promise<Sent<Cri.ContainerStatus>> {
  const { note } = found
  const container = await reconciled(engine, found.container)
  const details = await detailsOf(engine, container)
  const { options, imageId } = container
  return {
    id: container.id,
    metadata: note.metadata,
    state: stateOf(container),
    created_at: nanoseconds(container.createdAt),
    ...lifeOf(container),
    image: imageSpec(found),
    image_ref: await imageRef(engine, imageId),
    image_id: imageId,
    labels: options.labels,
    annotations: note.annotations,
    mounts: mountsOf(found, details),
    log_path: logPathOf(note, container),
    resources: { linux: toResources(options.resources, options.limits?.oomScoreAdj) },
    ...userOf(details),
    stop_signal: details === undefined ? note.stopSignal : toSignal(details.run.stopSignal),
  }
}

/** In full, as kubelet's own words for it are not. */
function logPathOf({ logDirectory = "", logPath, isLogLinked }: ContainerNote, container: Container): string {
  if (logPath === "") return ""
  return isLogLinked === true ? join(logDirectory, logPath) : (container.logPath ?? "")
}

/** What was pulled, by its digest, as pods' statuses show it; the id of what has none, or is gone. */
async function imageRef(engine: CriContext["engine"], imageId: string): Promise<string> {
  return (await engine.images()).find(imageId)?.repoDigests[0] ?? imageId
}

/**
 * For a moment after its end nobody knows why it ended: whether the kernel killed it for its memory is written down by the clean-up. Kubelet
 * reads the reason once, so that is waited for.
 */
async function reconciled(engine: CriContext["engine"], container: Container): Promise<Container> {
  if (container.state.status !== "exited" || container.ending !== undefined) return container
  const containers = await engine.containers()
  try {
    await containers.cleanup(container.id)
    return containers.get(container.id)
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return container
    throw error
  }
}

/** Undefined: it has gone meanwhile. */
async function detailsOf(engine: CriContext["engine"], { id }: Container): Promise<ContainerDetails | undefined> {
  try {
    return await (await engine.containers()).inspect(id)
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}

function lifeOf({ state, ending, createdAt }: Container): Sent<Partial<Cri.ContainerStatus>> {
  switch (state.status) {
    case "running":
    case "paused":
      return { started_at: nanoseconds(state.startedAt) }
    case "created":
      if (ending === undefined) return {}
      return {
        finished_at: nanoseconds(createdAt),
        exit_code: ending.exitCode,
        reason: "StartError",
        message: ending.by === "engine" ? ending.message : "",
      }
    case "exited":
    case "restarting": {
      const isOom = state.status === "exited" && state.oomKilled
      return {
        started_at: nanoseconds(state.startedAt),
        finished_at: nanoseconds(state.finishedAt),
        exit_code: state.exitCode,
        reason: isOom ? "OOMKilled" : state.exitCode === 0 ? "Completed" : "Error",
        message: (state.status === "exited" && state.error) || "",
      }
    }
    case "removing":
      return {}
  }
}

/** With the id of each image, whatever its name came to mean since. */
function mountsOf({ note }: FoundContainer, details: ContainerDetails | undefined): Sent<Cri.Mount>[] {
  return note.mounts.map((mount) => {
    const image = details?.mounts.find(({ target }) => target === mount.container_path)?.image
    return mount.image === null || image === undefined
      ? mount
      : { ...mount, image: { ...mount.image, image_ref: image.id } }
  })
}

/** Of its first process, as the runtime was told. */
function userOf(details: ContainerDetails | undefined): Sent<Pick<Cri.ContainerStatus, "user">> {
  if (details === undefined) return {}
  try {
    const { process } = JSON.parse(readFileSync(details.paths.config, "utf8")) as OciConfig
    const { uid, gid, additionalGids = [] } = process.user
    return { user: { linux: { uid: `${uid}`, gid: `${gid}`, supplemental_groups: additionalGids.map(String) } } }
  } catch {
    return {} // it has no bundle while it does not run
  }
}

/** What `verbose` shows. */
export async function containerInfo({ engine }: CriContext, { container, podId }: FoundContainer): Promise<object> {
  const { state } = container
  const details = await detailsOf(engine, container)
  const pod = await (await engine.pods()).get(podId)
  return {
    sandboxID: podId,
    pid: "pid" in state ? state.pid : 0,
    name: container.name,
    runtime: container.runtime,
    pod: podNote(pod)?.metadata,
    argv: container.argv,
    paths: details?.paths,
    storage: details?.storage,
  }
}
