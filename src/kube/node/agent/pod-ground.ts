import type { PersistentVolumeClaim } from "kubernetes-types/core/v1"
import type { Sandbox } from "../../../sandbox/sandbox.ts"
import type { ImageRunConfig } from "../../../spec/oci-image.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"
import { ifThere } from "./if-there.ts"
import { COMPONENT } from "./node-context.ts"
import { enginePodName, planPod, planVolumes, type PlanInput } from "./pod-plan.ts"
import { PodTokens } from "./pod-tokens.ts"
import { keepVolumes } from "./pod-volumes.ts"
import { factsOf, sourcesOf } from "./sources.ts"
import type { WorkerContext } from "./worker-context.ts"

/** What stays of a pod once it has been found in the engine. */
export interface FoundPod {
  podId?: string
  sandboxId?: string
}

/** What a pod's containers stand on: its volumes, and the sandbox with its addresses. */
export class PodGround {
  /** Empty: the engine has nothing of the pod. */
  found: FoundPod
  /** As it was seen last. */
  sandbox: Sandbox | undefined
  readonly #context: WorkerContext
  readonly #images: ReadonlyMap<string, ImageRunConfig>
  readonly #tokens: PodTokens

  /** `images`: what is known of images, by the names that the pod has for them. */
  constructor(context: WorkerContext, images: ReadonlyMap<string, ImageRunConfig>, found: FoundPod) {
    this.#context = context
    this.#images = images
    this.#tokens = new PodTokens(context.node.tokens)
    this.found = found
  }

  /** What the engine has of the sandbox now. */
  refresh(): void {
    const { sandboxId } = this.found
    this.sandbox = sandboxId === undefined ? undefined : ifThere(() => this.#context.node.sandboxes.get(sandboxId))
  }

  /** What a container of the pod is planned of. */
  planInput(pod: KeptPod): PlanInput {
    return { pod, sources: this.#sources(pod), facts: factsOf(this.#context.node, pod, this.podIps(pod)) }
  }

  /** Makes what is missing of volumes and sandbox; safe to repeat. False: something cannot be had yet, and was told. */
  async prepare(pod: KeptPod): Promise<boolean> {
    const input = this.planInput(pod)
    try {
      const warnings = await keepVolumes(this.#context.node, this.#context.uid, planVolumes(input))
      for (const { path, text } of warnings) this.#tellOfVolume(pod, path, text)
      const { renewAt } = this.#tokens
      if (renewAt !== undefined) this.#context.again(renewAt - Date.now())
    } catch (error) {
      if (this.#context.node.signal.aborted) throw error
      this.#context.tell(
        pod,
        "Warning",
        "FailedMount",
        `MountVolume.SetUp failed for volume: ${(error as Error).message}`,
      )
      this.#context.retry()
      return false
    }
    if (this.isReady()) return true
    try {
      await this.#context.node.limit(() => this.#makeSandbox(pod))
      return true
    } catch (error) {
      if (this.#context.node.signal.aborted) throw error
      this.#context.tell(
        pod,
        "Warning",
        "FailedCreatePodSandBox",
        `Failed to create pod sandbox: ${(error as Error).message}`,
      )
      this.#context.retry()
      return false
    }
  }

  /** Of the pod, or of its claim: `spec.volumes[0].persistentVolumeClaim`. */
  #tellOfVolume(pod: KeptPod, path: string, text: string): void {
    const { cluster, recorder } = this.#context.node
    const index = Number(/^spec\.volumes\[(\d+)\]/.exec(path)?.[1])
    const { name, persistentVolumeClaim } = pod.spec?.volumes?.[index] ?? { name: "" }
    const claim =
      persistentVolumeClaim &&
      cluster.find<PersistentVolumeClaim>(
        "persistentvolumeclaims",
        persistentVolumeClaim.claimName,
        pod.metadata.namespace,
      )
    const message = `volume "${name}": ${text}`
    const event = { type: "Warning" as const, reason: "SizeNotEnforced", message, component: COMPONENT }
    recorder.tell(claim ?? pod, event)
  }

  async #makeSandbox(pod: KeptPod): Promise<void> {
    const { node } = this.#context
    const { pods, sandboxes } = node
    if (this.found.podId !== undefined && ifThere(() => pods.idOf(this.found.podId ?? "")) === undefined)
      this.found = {}
    if (this.found.sandboxId === undefined || this.sandbox === undefined) {
      const input = { pod, sources: this.#sources(pod), facts: factsOf(node, pod, undefined) }
      const options = await node.network(pod, planPod(input))
      if (this.found.podId !== undefined) await pods.remove(this.found.podId, { force: true, timeoutSeconds: 0 })
      await this.#removeNamesake(pod)
      const made = await pods.create(options)
      this.found = { podId: made.id, ...(made.sandboxId !== undefined && { sandboxId: made.sandboxId }) }
    }
    const { sandboxId } = this.found
    if (sandboxId !== undefined) this.sandbox = await sandboxes.start(sandboxId, { signal: node.signal })
  }

  /** What a process that was killed has left half made. */
  async #removeNamesake(pod: KeptPod): Promise<void> {
    const id = ifThere(() => this.#context.node.pods.idOf(enginePodName(pod)))
    if (id !== undefined) await this.#context.node.pods.remove(id, { force: true, timeoutSeconds: 0 })
  }

  /** Without their prefixes; of a pod of the host's network the host's. */
  podIps({ spec }: KeptPod): readonly string[] {
    if (spec?.hostNetwork) return this.#context.node.hostIps
    const { address, address6 } = this.sandbox?.endpoints[0] ?? {}
    return [address, address6].filter((one) => one !== undefined).map(plainAddress)
  }

  /** The sandbox from whose network a pod is probed; undefined: it has the host's. */
  probedSandbox({ spec }: KeptPod): string | undefined {
    return spec?.hostNetwork ? undefined : this.found.sandboxId
  }

  /** Whether its sandbox runs. */
  isReady(): boolean {
    return this.sandbox?.state.status === "ready"
  }

  #sources(pod: KeptPod): ReturnType<typeof sourcesOf> {
    return sourcesOf(this.#context.node.cluster, pod, this.#images, this.#tokens)
  }
}

function plainAddress(address: string): string {
  return address.replace(/\/\d+$/, "")
}
