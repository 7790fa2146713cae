/** Containers of sandboxes. */
import { createWriteStream } from "node:fs"
import { rm } from "node:fs/promises"
import { isAbsolute } from "node:path"
import { pipeline } from "node:stream/promises"
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import type { Containers } from "../../container/container.ts"
import { containerOptions } from "../config/container-options.ts"
import { resourceChanges } from "../config/resources.ts"
import {
  containerOf,
  inParts,
  limitHost,
  nanoseconds,
  podOf,
  type CriContext,
  type FoundContainer,
} from "../context.ts"
import { canLink, checkLog, checkLogFree, linkLog, makeLog, type LogPlace } from "../log-link.ts"
import type { ContainerNote, PodNote } from "../notes.ts"
import type * as Cri from "../protocol/messages.ts"
import type { Handlers, Sent } from "../protocol/service.ts"
import { checkImageMounts } from "./image-mounts.ts"
import { containerInfo, containersOf, containerStatus, imageSpec, stateOf } from "./container-status.ts"
import { ifThere, stateOf as podState } from "./sandboxes.ts"

type Calls = Handlers<
  Pick<
    Cri.RuntimeServiceCalls,
    | "CreateContainer"
    | "StartContainer"
    | "StopContainer"
    | "RemoveContainer"
    | "ListContainers"
    | "StreamContainers"
    | "ContainerStatus"
    | "UpdateContainerResources"
    | "ReopenContainerLog"
    | "CheckpointContainer"
  >
>

/** How long the end of one that was killed is waited for, before it is killed again. */
const KILL_SECONDS = 10

export function containerCalls(context: CriContext): Calls {
  const { engine } = context
  return {
    async CreateContainer({ pod_sandbox_id: id, config, sandbox_config }) {
      if (config === null) throw new InvalidArgument("the container's configuration is missing", { field: "config" })
      const { pod, note } = await podOf(context, id)
      if (podState(pod) !== "SANDBOX_READY")
        throw new FailedPrecondition(`sandbox "${pod.name}" is not ready: no container can be made in it`)
      const root = await context.root()
      const options = containerOptions(config, withLogDirectory(note, sandbox_config), {
        ...limitHost(),
        canLinkLog: (place) => canLink(root, place),
      })
      const joined = options.namespaces?.pid
      if (joined?.kind === "container") await checkTarget(context, joined.container, pod.id)
      await checkImageMounts(engine, config.mounts)
      const containers = await engine.containers()
      const made = await containers.create(await (await engine.pods()).containerOptions(pod.id, options))
      return { container_id: made.id }
    },

    async StartContainer({ container_id: id }) {
      const found = await containerOf(context, id)
      const { container, note, podId } = found
      const state = stateOf(container)
      if (state !== "CONTAINER_CREATED")
        throw new FailedPrecondition(`container "${container.name}" cannot be started: it is ${state}`)
      const { pod } = await podOf(context, podId)
      if (podState(pod) !== "SANDBOX_READY") throw new FailedPrecondition(`sandbox "${pod.name}" is not ready`)
      const containers = await engine.containers()
      const place = note.isLogLinked === true ? logPlaceOf(note) : undefined
      if (place !== undefined && container.logPath !== undefined) makeLog(container.logPath, place)
      checkWay(note)
      const started = await containers.start(container.id)
      started.release()
      await checkedLog(containers, found)
      return {}
    },

    async StopContainer({ container_id: id, timeout }) {
      await ifThere(async () => {
        const { container } = await containerOf(context, id)
        const timeoutSeconds = Number(timeout)
        if (!(timeoutSeconds >= 0)) throw new InvalidArgument(`invalid time-out ${timeout}`, { field: "timeout" })
        const how = timeoutSeconds === 0 ? { signal: "SIGKILL", timeoutSeconds: KILL_SECONDS } : { timeoutSeconds }
        await (await engine.containers()).stop(container.id, how)
      })
      return {}
    },

    async RemoveContainer({ container_id: id }) {
      await ifThere(async () => {
        const { container } = await containerOf(context, id)
        await (await engine.containers()).remove(container.id, { force: true, volumes: true })
      })
      return {}
    },

    async ListContainers({ filter }) {
      return { containers: await listed(context, filter) }
    },

    async *StreamContainers({ filter }) {
      for (const containers of inParts(await listed(context, filter))) yield { containers }
    },

    async ContainerStatus({ container_id: id, verbose }) {
      const found = await containerOf(context, id)
      return {
        status: await containerStatus(context, found),
        ...(verbose && { info: { info: JSON.stringify(await containerInfo(context, found)) } }),
      }
    },

    async UpdateContainerResources({ container_id: id, linux }) {
      const { container } = await containerOf(context, id)
      // the OOM score of processes that are there stays: kubelet sends it along, and counts on nothing
      const resources = resourceChanges(linux, limitHost())
      if (Object.keys(resources).length > 0) await (await engine.containers()).update(container.id, { resources })
      return {}
    },

    async ReopenContainerLog({ container_id: id }) {
      const found = await containerOf(context, id)
      const { container, note } = found
      if (note.logPath === "") throw new FailedPrecondition(`container "${container.name}" has no log path`)
      const containers = await engine.containers()
      checkWay(note)
      await containers.reopenLog(container.id)
      await checkedLog(containers, found)
      const place = note.isLogLinked === true ? logPlaceOf(note) : undefined
      if (place !== undefined && container.logPath !== undefined) linkLog(container.logPath, place)
      return {}
    },

    async CheckpointContainer({ container_id: id, location, timeout }, { signal }) {
      const { container } = await containerOf(context, id)
      if (!isAbsolute(location) || location.split("/").includes(".."))
        throw new InvalidArgument(`the location "${location.slice(0, 200)}" is no absolute path`, { field: "location" })
      const seconds = Number(timeout)
      const abort = seconds > 0 ? AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]) : signal
      const { checkpoints } = await engine.containers()
      try {
        await checkpoints.create(container.id, {
          leaveRunning: true,
          abort,
          export: {
            // never over a file that is there
            write: (archive) => pipeline(archive, createWriteStream(location, { flags: "wx", mode: 0o600 })),
          },
        })
      } catch (error) {
        if ((error as { code?: unknown }).code !== "EEXIST") await rm(location, { force: true })
        throw error
      }
      return {}
    },
  }
}

/** Undefined: it has none that kubelet reads. */
function logPlaceOf({ logDirectory: directory, logPath: path }: ContainerNote): LogPlace | undefined {
  return directory === undefined || path === "" ? undefined : { directory, path }
}

/** On another file system than the engine's the monitor opens the log by its path: it is not sent along a link that stands there already. */
function checkWay(note: ContainerNote): void {
  const place = logPlaceOf(note)
  if (place !== undefined && note.isLogLinked !== true) checkLogFree(place)
}

/** And what a link that came meanwhile has it write elsewhere ends at once. */
async function checkedLog(containers: Containers, { container, note }: FoundContainer): Promise<void> {
  const place = logPlaceOf(note)
  if (place === undefined || note.isLogLinked === true) return
  try {
    checkLog(place)
  } catch (error) {
    await containers.stop(container.id, { signal: "SIGKILL", timeoutSeconds: KILL_SECONDS })
    throw error
  }
}

/** crictl gives the directory with each container, too; kubelet's is the same. */
function withLogDirectory(note: PodNote, config: Cri.PodSandboxConfig | null): PodNote {
  const directory = config?.log_directory ?? ""
  return directory === "" || note.logDirectory !== "" ? note : { ...note, logDirectory: directory }
}

/** Only a container of the same pod can be joined. Throws InvalidArgument, NotFound. */
async function checkTarget(context: CriContext, target: string, podId: string): Promise<void> {
  const found = await containerOf(context, target)
  if (found.podId !== podId)
    throw new InvalidArgument(`container "${found.container.name}" is of another pod`, {
      field: "namespace_options.target_id",
    })
}

async function listed(context: CriContext, filter: Cri.ContainerFilter | null): Promise<Sent<Cri.Container>[]> {
  const found = await containersOf(context, {
    id: filter?.id,
    podId: filter?.pod_sandbox_id,
    state: filter?.state?.state,
    labels: filter?.label_selector,
  })
  return found.map((one) => ({
    id: one.container.id,
    pod_sandbox_id: one.podId,
    metadata: one.note.metadata,
    image: imageSpec(one),
    image_ref: one.container.imageId,
    image_id: one.container.imageId,
    state: stateOf(one.container),
    created_at: nanoseconds(one.container.createdAt),
    labels: one.container.options.labels,
    annotations: one.note.annotations,
  }))
}
