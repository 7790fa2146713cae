import type { Container as ContainerSpec, Secret } from "kubernetes-types/core/v1"
import type { ImageRunConfig } from "../../../spec/oci-image.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"
import type { PodVolume } from "../volumes.ts"
import { pathOf } from "./container-path.ts"
import { pullPolicyOf } from "./image-puller.ts"
import type { PlacedContainer } from "./next-actions.ts"
import { rootRefusal } from "./root-refusal.ts"
import type { WorkerContext } from "./worker-context.ts"

const RETRY_MS = 2_000
const PULLED_LOG_LIMIT = 1_000

/** The images of a pod's containers, pulled as its containers need them. */
export class PodImages {
  /** Of those that are here, by the names that the pod has for them. */
  readonly configs = new Map<string, ImageRunConfig>()
  readonly #context: WorkerContext

  constructor(context: WorkerContext) {
    this.#context = context
  }

  /** The images of a container and of the volumes that it mounts; and whether it may run as who the image says. False: it was told why not. */
  async have(pod: KeptPod, { container }: PlacedContainer): Promise<boolean> {
    const { image = "", imagePullPolicy } = container
    const mounted = new Set(container.volumeMounts?.map(({ name }) => name))
    for (const { name, image: volume } of (pod.spec?.volumes ?? []) as readonly PodVolume[])
      if (volume?.reference !== undefined && mounted.has(name))
        if (!(await this.#haveImage(pod, container, volume.reference, volume.pullPolicy))) return false
    if (!(await this.#haveImage(pod, container, image, imagePullPolicy))) return false
    const config = this.configs.get(image) ?? {}
    if (!(container.securityContext?.runAsNonRoot ?? pod.spec?.securityContext?.runAsNonRoot)) return true
    const refusal = rootRefusal(pod, container, config)
    if (refusal === undefined) return true
    this.#context.refuse(pod, container.name, "CreateContainerConfigError", refusal)
    return false
  }

  /** The one image, pulled by its policy with the pod's secrets. False: it was told why not. */
  async #haveImage(pod: KeptPod, { name }: ContainerSpec, image: string, policy: string | undefined): Promise<boolean> {
    const { puller, images, cluster } = this.#context.node
    const where = pathOf(pod, name)
    const account = cluster.find<{ imagePullSecrets?: { name?: string }[] }>(
      "serviceaccounts",
      pod.spec?.serviceAccountName ?? "default",
      pod.metadata.namespace,
    )
    const secretNames = [...(pod.spec?.imagePullSecrets ?? []), ...(account?.imagePullSecrets ?? [])]
    const pulled = await puller.have(image, pullPolicyOf(image, policy), {
      who: this.#context.uid,
      secrets: secretNames.flatMap(
        (one) => (cluster.find<Secret>("secrets", one.name ?? "", pod.metadata.namespace) as Secret | undefined) ?? [],
      ),
      onPull: () => this.#context.tell(pod, "Normal", "Pulling", `Pulling image "${image}"`, where),
    })
    if (pulled.image !== undefined) {
      if (pulled.was === "pulled")
        this.#context.tell(
          pod,
          "Normal",
          "Pulled",
          `Successfully pulled image "${image}" in ${seconds(pulled.tookMs ?? 0)}`,
          where,
        )
      else if (pulled.trouble === undefined)
        this.#context.tell(pod, "Normal", "Pulled", `Container image "${image}" already present on machine`, where)
      else
        this.#context.tell(
          pod,
          "Warning",
          "Pulled",
          `Container image "${image}" of this machine is used; it cannot be pulled: ${pulled.trouble}`.slice(
            0,
            PULLED_LOG_LIMIT,
          ),
          where,
        )
      this.configs.set(image, (await images.config(pulled.image)).config ?? {})
      return true
    }
    const { reason, message, retryAt, isNew } = pulled
    this.#context.waiting.set(name, { reason, message })
    if (isNew) {
      this.#context.tell(
        pod,
        "Warning",
        "Failed",
        reason === "ErrImagePull" ? `Failed to pull image "${image}": ${message}` : message,
        where,
      )
      this.#context.tell(pod, "Warning", "Failed", `Error: ${reason}`, where)
    } else this.#context.tell(pod, "Normal", "BackOff", `Back-off pulling image "${image}"`, where)
    // first shown as failed, then as waiting
    this.#context.again(reason === "ErrImagePull" ? RETRY_MS : (retryAt ?? Date.now() + RETRY_MS * 5) - Date.now())
    return false
  }
}

const seconds = (ms: number): string => (ms < 1000 ? `${ms}ms` : `${ms / 1000}s`)
