/** Containers of sandboxes. */
import { createWriteStream } from "node:fs"
import { rm } from "node:fs/promises"
import { isAbsolute } from "node:path"
import { pipeline } from "node:stream/promises"
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import { containerOptions } from "../config/container-options.ts"
import { resourceChanges } from "../config/resources.ts"
import { containerOf, inParts, limitHost, nanoseconds, podOf, type CriContext } from "../context.ts"
import type { PodNote } from "../notes.ts"
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
      const options = containerOptions(config, withLogDirectory(note, sandbox_config), limitHost())
      const joined = options.namespaces?.pid
      if (joined?.kind === "container") await checkTarget(context, joined.container, pod.id)
      await checkImageMounts(engine, config.mounts)
      const containers = await engine.containers()
      const made = await containers.create(await (await engine.pods()).containerOptions(pod.id, options))
      return { container_id: made.id }
    },

    async StartContainer({ container_id: id }) {
      const { container, podId } = await containerOf(context, id)
      const state = stateOf(container)
      if (state !== "CONTAINER_CREATED")
        throw new FailedPrecondition(`container "${container.name}" cannot be started: it is ${state}`)
      const { pod } = await podOf(context, podId)
      if (podState(pod) !== "SANDBOX_READY") throw new FailedPrecondition(`sandbox "${pod.name}" is not ready`)
      const started = await (await engine.containers()).start(container.id)
      started.release()
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
      const { container, note } = await containerOf(context, id)
      if (note.logPath === "") throw new FailedPrecondition(`container "${container.name}" has no log path`)
      await (await engine.containers()).reopenLog(container.id)
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
