/** Sandboxes: pods of the engine that have our note. */
import { FailedPrecondition, isSkiffError } from "../../base/errors.ts"
import type { Pod } from "../../pod/pod.ts"
import { podOptions } from "../config/pod-options.ts"
import {
  fitsLabels,
  hasCgroupParents,
  inParts,
  nanoseconds,
  podOf,
  type CriContext,
  type FoundPod,
} from "../context.ts"
import { podNote } from "../notes.ts"
import type * as Cri from "../protocol/messages.ts"
import type { Handlers, Sent } from "../protocol/service.ts"
import { containerStatus, noted } from "./container-status.ts"
import { checkHandler } from "./runtime.ts"

type Calls = Handlers<
  Pick<
    Cri.RuntimeServiceCalls,
    | "RunPodSandbox"
    | "StopPodSandbox"
    | "RemovePodSandbox"
    | "PodSandboxStatus"
    | "ListPodSandbox"
    | "StreamPodSandboxes"
    | "UpdatePodSandboxResources"
  >
>

export function sandboxCalls(context: CriContext): Calls {
  const { engine } = context
  return {
    async RunPodSandbox({ config, runtime_handler }) {
      if (config === null) throw new FailedPrecondition("the sandbox's configuration is missing", { field: "config" })
      checkHandler(runtime_handler)
      const host = { network: await context.network(), hasCgroupParents: hasCgroupParents() }
      const pods = await engine.pods()
      const { id } = await pods.create(podOptions(config, runtime_handler, host))
      try {
        await pods.start(id)
      } catch (error) {
        await pods.remove(id, { force: true }).catch(() => {})
        throw error
      }
      return { pod_sandbox_id: id }
    },

    async StopPodSandbox({ pod_sandbox_id: id }) {
      await ifThere(async () => {
        const { pod } = await podOf(context, id)
        await (await engine.pods()).stop(pod.id, { timeoutSeconds: 0 })
      })
      return {}
    },

    async RemovePodSandbox({ pod_sandbox_id: id }) {
      await ifThere(async () => {
        const { pod } = await podOf(context, id)
        await (await engine.pods()).remove(pod.id, { force: true, timeoutSeconds: 0 })
      })
      return {}
    },

    async PodSandboxStatus({ pod_sandbox_id: id, verbose }) {
      const found = await podOf(context, id)
      const containers = found.pod.containers.flatMap((container) => noted(container) ?? [])
      return {
        status: sandboxStatus(found),
        containers_statuses: await Promise.all(containers.map((one) => containerStatus(context, one))),
        timestamp: nanoseconds(Date.now()),
        ...(verbose && { info: { info: JSON.stringify(details(found)) } }),
      }
    },

    async ListPodSandbox({ filter }) {
      return { items: await listed(context, filter) }
    },

    async *StreamPodSandboxes({ filter }) {
      for (const pod_sandboxes of inParts(await listed(context, filter))) yield { pod_sandboxes }
    },

    async UpdatePodSandboxResources({ pod_sandbox_id: id }) {
      // kubelet has changed the pod's cgroup itself by now, and ours has no limits of its own
      await podOf(context, id)
      return {}
    },
  }
}

/** What is gone needs nothing done. */
export async function ifThere(body: () => Promise<void>): Promise<void> {
  try {
    await body()
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
}

/** Those that fit, newest first. */
export async function listPods(
  { engine }: CriContext,
  filter: Partial<Cri.PodSandboxFilter> | null,
): Promise<FoundPod[]> {
  const pods = (await (await engine.pods()).list()).flatMap((pod) => {
    const note = podNote(pod)
    return note === undefined ? [] : [{ pod, note }]
  })
  const { id = "", state = null, label_selector } = filter ?? {}
  return pods.filter(
    ({ pod }) =>
      pod.id.startsWith(id) &&
      (state === null || stateOf(pod) === state.state) &&
      fitsLabels(pod.options.labels, label_selector),
  )
}

async function listed(context: CriContext, filter: Cri.PodSandboxFilter | null): Promise<Sent<Cri.PodSandbox>[]> {
  return (await listPods(context, filter)).map(({ pod, note }) => ({
    id: pod.id,
    metadata: note.metadata,
    state: stateOf(pod),
    created_at: nanoseconds(pod.createdAt),
    labels: pod.options.labels ?? {},
    annotations: note.annotations,
    runtime_handler: note.runtimeHandler,
  }))
}

/** Ready as long as its namespaces are there, whatever its containers do. */
export function stateOf({ sandbox }: Pod): Cri.PodSandboxState {
  return sandbox?.state.status === "ready" ? "SANDBOX_READY" : "SANDBOX_NOTREADY"
}

/** As CRI shows it. */
export function sandboxStatus({ pod, note }: FoundPod): Sent<Cri.PodSandboxStatus> {
  const [first, ...others] = (pod.sandbox?.endpoints ?? []).flatMap(({ address, address6 }) =>
    [address, address6].filter((one) => one !== undefined && one !== ""),
  )
  return {
    id: pod.id,
    metadata: note.metadata,
    state: stateOf(pod),
    created_at: nanoseconds(pod.createdAt),
    network: { ip: first ?? "", additional_ips: others.map((ip) => ({ ip })) },
    linux: { namespaces: { options: note.namespaces ?? {} } },
    labels: pod.options.labels ?? {},
    annotations: note.annotations,
    runtime_handler: note.runtimeHandler,
  }
}

function details({ pod, note }: FoundPod): object {
  const { sandbox } = pod
  return {
    name: pod.name,
    namespaces: sandbox?.state.status === "ready" ? sandbox.state.namespaces : {},
    cgroup: sandbox?.cgroupPath ?? "",
    endpoints: sandbox?.endpoints ?? [],
    runtimeHandler: note.runtimeHandler,
    logDirectory: note.logDirectory,
  }
}
