/** What CRI's objects have beyond ours, kept with the engine's records: this front end has no state of its own. */
import type { Container } from "../container/container.ts"
import type { Pod } from "../pod/pod.ts"
import type {
  ContainerMetadata,
  ImageSpec,
  Mount,
  NamespaceOption,
  PodSandboxMetadata,
  Signal,
} from "./protocol/messages.ts"

/** The name of our notes; a pod or a container without one is none of CRI's, and is neither shown nor changed. */
const NAME = "cri"

/** Of a sandbox. */
export interface PodNote {
  metadata: PodSandboxMetadata
  annotations: Readonly<Record<string, string>>
  logDirectory: string
  namespaces: NamespaceOption | null
  isPrivileged: boolean
  runtimeHandler: string
}

/** Of a container. */
export interface ContainerNote {
  metadata: ContainerMetadata
  annotations: Readonly<Record<string, string>>
  image: ImageSpec
  mounts: readonly Mount[]
  /** Below the sandbox's directory; empty: it has a log of the engine's alone. */
  logPath: string
  /** The sandbox's directory. */
  logDirectory?: string
  /** The log that kubelet reads is a second name of the engine's; else the engine's is there itself. */
  isLogLinked?: boolean
  stopSignal: Signal
}

/** As it is kept. */
export function written(note: PodNote | ContainerNote): Readonly<Record<string, string>> {
  return { [NAME]: JSON.stringify(note) }
}

/** Undefined: the pod is none of CRI's. */
export function podNote({ options }: Pick<Pod, "options">): PodNote | undefined {
  const text = options.notes?.[NAME]
  return text === undefined ? undefined : (JSON.parse(text) as PodNote)
}

/** Undefined: the container is none of CRI's. */
export function containerNote({ options }: Pick<Container, "options">): ContainerNote | undefined {
  const text = options.notes?.[NAME]
  return text === undefined ? undefined : (JSON.parse(text) as ContainerNote)
}
