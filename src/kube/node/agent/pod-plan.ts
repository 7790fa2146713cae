/** What a Pod's parts are to the engine: `translatePod`, asked for one part at a time, so that what is missing for one holds up no other. */
import type { Pod } from "kubernetes-types/core/v1"
import type { ContainerOptions } from "../../../container/container.ts"
import type { PodOptions } from "../../../pod/pod.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"
import type { NodeContainer, NodeFacts, NodeSources, NodeVolume } from "../node-pod.ts"
import { translatePod } from "../translate-pod.ts"
import {
  CONTAINER_NAME_LABEL,
  OWNED_LABEL,
  POD_NAME_LABEL,
  POD_NAMESPACE_LABEL,
  POD_UID_LABEL,
  RESTART_COUNT_LABEL,
} from "./labels.ts"
import type { PlacedContainer } from "./next-actions.ts"

const NAME_PART = 60

/** A name of the engine's: its parts are cut, the uid makes it one's own. */
function engineName(...parts: readonly string[]): string {
  return ["k8s", ...parts.map((part) => part.slice(0, NAME_PART))].join("_")
}

export function enginePodName({ metadata: { name, namespace = "default", uid } }: KeptPod): string {
  return engineName(name, namespace, uid.slice(0, 8))
}

export function engineContainerName(pod: KeptPod, container: string, attempt: number): string {
  const { name, namespace = "default", uid } = pod.metadata
  return engineName(container, name, namespace, uid.slice(0, 8), String(attempt))
}

/** The engine's volume for one of the pod's own. */
export function engineVolumeName(uid: string, volume: string): string {
  return `kube-${uid}-${volume}`
}

function podLabels({ metadata: { name, namespace = "default", uid } }: KeptPod): Record<string, string> {
  return {
    [POD_NAME_LABEL]: name,
    [POD_NAMESPACE_LABEL]: namespace,
    [POD_UID_LABEL]: uid,
    [OWNED_LABEL]: uid,
  }
}

export interface PlanInput {
  pod: KeptPod
  sources: NodeSources
  facts: NodeFacts
}

function translated({ pod, sources, facts }: PlanInput, spec: object): ReturnType<typeof translatePod> {
  const { metadata } = pod
  return translatePod({
    pod: { ...pod, metadata, spec: { ...pod.spec, ...spec } } as unknown as Pod,
    sources,
    facts,
    volumeName: (volume) => engineVolumeName(metadata.uid, volume),
    withoutEngineAnnotations: true,
  })
}

/** The pod itself, that is its sandbox. Throws InvalidArgument. */
export function planPod(input: PlanInput): PodOptions {
  const { pod } = input
  const containers = (pod.spec?.containers ?? []).map(({ name, image, ports }) => ({ name, image, ports }))
  const {
    exitPolicy: _,
    restart: __,
    ...options
  } = translated(input, {
    volumes: [],
    initContainers: [],
    ephemeralContainers: [],
    containers,
  }).pod
  return {
    ...options,
    name: enginePodName(pod),
    labels: { ...pod.metadata.labels, ...podLabels(pod) },
    exitPolicy: "continue",
  }
}

/** Its volumes. Throws NotFound for what they are of. */
export function planVolumes(input: PlanInput): readonly NodeVolume[] {
  const containers = (input.pod.spec?.containers ?? []).map(({ name, image }) => ({ name, image }))
  return translated(input, { initContainers: [], ephemeralContainers: [], containers }).volumes
}

/** One container, for one attempt; the volumes with the parts that it mounts. Throws NotFound, InvalidArgument. */
export function planContainer(
  input: PlanInput,
  { container, path }: PlacedContainer,
  attempt: number,
): Pick<NodeContainer, "options" | "probes" | "hooks"> & { volumes: readonly NodeVolume[] } {
  const { restartPolicy: _, ...plain } = container
  const { containers, volumes } = translated(input, {
    initContainers: [],
    ephemeralContainers: [],
    containers: [plain],
  })
  const [made] = containers
  if (made === undefined) throw new Error(`${path} came to nothing`)
  const { options, probes, hooks } = made
  return { options: ofAttempt(input.pod, container.name, attempt, options), probes, hooks, volumes }
}

/** The agent does what the engine would: restarts, probes, the order of starts. */
function ofAttempt(pod: KeptPod, name: string, attempt: number, options: ContainerOptions): ContainerOptions {
  const { initContainer: _, requires: __, runTimeoutSeconds: ___, ...rest } = options
  return {
    ...rest,
    name: engineContainerName(pod, name, attempt),
    labels: {
      ...rest.labels,
      ...podLabels(pod),
      [CONTAINER_NAME_LABEL]: name,
      [RESTART_COUNT_LABEL]: String(attempt),
    },
    pull: "never",
    restart: { name: "no", maximumRetryCount: 0 },
    health: { disabled: true },
    sdnotify: "ignore",
  }
}

/** The same; undefined: what it is made of is not there any more. */
export function planIfPossible(
  ...words: Parameters<typeof planContainer>
): ReturnType<typeof planContainer> | undefined {
  try {
    return planContainer(...words)
  } catch {
    return undefined
  }
}
