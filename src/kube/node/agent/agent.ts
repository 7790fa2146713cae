import { availableParallelism, totalmem } from "node:os"
import type { Pod } from "kubernetes-types/core/v1"
import { limiter } from "../../../base/limiter.ts"
import { log } from "../../../base/log.ts"
import type { CachedChange, Cluster } from "../../controllers/cluster.ts"
import type { Kept } from "../../controllers/kept.ts"
import type { Recorder } from "../../controllers/recorder.ts"
import { ImagePuller } from "./image-puller.ts"
import { OWNED_LABEL } from "./labels.ts"
import type { AgentDeps, NodeContext } from "./node-context.ts"
import { hostAddresses } from "./host-addresses.ts"
import type { FoundPod } from "./pod-ground.ts"
import { PodWorker } from "./pod-worker.ts"

/** Pods that are made ready at once: each step is the kernel's and the disk's work as well. */
const AT_ONCE = 6
/** What may have changed of a container of ours. */
const ACTIONS = ["die", "destroy", "start", "pause", "unpause", "oom"]

/** Of the node that the agent is for. */
export interface AgentOptions extends AgentDeps {
  cluster: Cluster
  recorder: Recorder
  nodeName: string
  signal: AbortSignal
}

/**
 * The node agent, what a kubelet is to a node: each pod of this node by a worker of its own (pod-worker.ts), which is woken by changes of
 * objects and by the engine's events. Nothing is polled; only probes and back-offs have timers.
 */
export class NodeAgent implements Disposable {
  readonly #node: NodeContext
  readonly #workers = new Map<string, PodWorker>()
  /** What the engine has is known: before that no pod may be taken for a new one. */
  #hasBegun = false

  constructor(options: AgentOptions) {
    this.#node = {
      ...options,
      puller: new ImagePuller(options.images, `${options.root}/kube`),
      hostIps: hostAddresses(),
      cpus: availableParallelism(),
      memoryBytes: totalmem(),
      limit: limiter(AT_ONCE),
    }
    options.cluster.onChange((change) => this.#take(change))
  }

  /** Until the signal. The cluster has been read by now: what the engine has, and no object, is removed. */
  async run(): Promise<void> {
    const { events, signal } = this.#node
    // watched first, then read: nothing falls between
    await using watch = events.watch({
      filter: { types: ["container"], actions: ACTIONS, labels: [OWNED_LABEL] },
      signal,
    })
    await this.#find()
    this.#hasBegun = true
    for (const pod of this.#node.cluster.list<Pod>("pods")) this.#see(pod)
    for await (const { actor } of watch) {
      const uid = actor.attributes[OWNED_LABEL]
      if (uid !== undefined) this.#workers.get(uid)?.wake()
    }
  }

  get count(): number {
    return this.#workers.size
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers.values()) worker[Symbol.dispose]()
  }

  /** What a process before this one has made. */
  async #find(): Promise<void> {
    const { pods, containers } = this.#node
    for (const { id, sandboxId, labels } of pods.labelled(OWNED_LABEL)) {
      const uid = labels[OWNED_LABEL]
      if (uid !== undefined) this.#worker(uid, { podId: id, ...(sandboxId !== undefined && { sandboxId }) })
    }
    for (const container of containers.list({ all: true, label: [OWNED_LABEL] })) {
      const uid = container.options.labels[OWNED_LABEL]
      if (uid !== undefined) this.#worker(uid).take(container)
    }
    for (const worker of this.#workers.values()) worker.wake()
  }

  #worker(uid: string, found?: FoundPod): PodWorker {
    let worker = this.#workers.get(uid)
    if (worker === undefined) {
      const onGone = (gone: string): void => {
        this.#workers.get(gone)?.[Symbol.dispose]()
        this.#workers.delete(gone)
      }
      this.#workers.set(uid, (worker = new PodWorker(this.#node, uid, { ...(found && { found }), onGone })))
    }
    return worker
  }

  #take({ resource, object, type }: CachedChange): void {
    if (!this.#hasBegun) return
    try {
      if (resource === "pods") {
        const pod = object as unknown as Kept<Pod>
        if (type === "DELETED") this.#workers.get(pod.metadata.uid)?.wake()
        else this.#see(pod)
      } else if (resource === "configmaps" || resource === "secrets" || resource === "persistentvolumeclaims") {
        const { name, namespace } = object.metadata
        for (const pod of this.#node.cluster.list<Pod>("pods", namespace))
          if (refersTo(pod, resource, name)) this.#workers.get(pod.metadata.uid)?.wake()
      } else if (resource === "serviceaccounts" && type === "ADDED") {
        // a pod of a new namespace may have come before its account
        const { name, namespace } = object.metadata
        for (const pod of this.#node.cluster.list<Pod>("pods", namespace))
          if ((pod.spec?.serviceAccountName ?? "default") === name) this.#workers.get(pod.metadata.uid)?.wake()
      }
    } catch (error) {
      log.warn("the node agent cannot take a change", { reason: String(error) })
    }
  }

  #see({ metadata: { uid }, spec }: Kept<Pod>): void {
    if (spec?.nodeName === this.#node.nodeName) this.#worker(uid).wake()
  }
}

/** Whether a volume, or a variable that is waited for, is of this object. Pure. */
export function refersTo({ spec, status }: Kept<Pod>, resource: string, name: string): boolean {
  const isWaited = (status?.containerStatuses ?? []).some(
    ({ state }) => state?.waiting?.reason === "CreateContainerConfigError",
  )
  return (
    isWaited ||
    (spec?.volumes ?? []).some(({ configMap, secret, projected, persistentVolumeClaim }) => {
      switch (resource) {
        case "configmaps":
          return configMap?.name === name || projected?.sources?.some((source) => source.configMap?.name === name)
        case "secrets":
          return secret?.secretName === name || projected?.sources?.some((source) => source.secret?.name === name)
        default:
          return persistentVolumeClaim?.claimName === name
      }
    })
  )
}
