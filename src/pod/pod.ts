/**
 * Pods: containers that share a sandbox, and are started, stopped and removed together.
 *
 *   create ─▶ created ─ start ─▶ running ⇄ paused     degraded: some of its containers run, some do not
 *                                   │ stop, or all end
 *                                   ▼
 *                                exited ─ start ─▶ running        remove, from any
 *
 * A pod's row says what its containers get from it; which containers are in it, they say themselves. Its state is made of theirs
 * and of its sandbox's, each time that it is asked for: nobody has to write it down, and no crash makes it wrong. The sandbox owns
 * the namespaces, the addresses and the published ports (sandbox/): it is made when the first container starts, by whoever starts
 * it, and keeps all of them while containers end and start again.
 *
 * Locks are taken in this order: pod, container, sandbox. A removal that was begun is finished by the next change of the pod.
 */
import type { Cancellable } from "../base/cancel.ts"
import type {
  Container,
  ContainerOptions,
  EtcOptions,
  NamespaceOptions,
  NetworkMode,
  Resources,
} from "../container/container.ts"
import type { NetworkRequest } from "../network/network.ts"
import type { Sandbox, SandboxId, SharedNamespace } from "../sandbox/sandbox.ts"
import type { DeviceRequest } from "../spec/docker/device-request.ts"
import type { EgressRule } from "../spec/docker/egress-rule.ts"
import type { MountRequest } from "../spec/docker/mount-request.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { VolumesFrom } from "../spec/docker/volumes-from.ts"
import type { RestartPolicy } from "../spec/docker/restart-policy.ts"
import type { UserNamespaceMode } from "../spec/docker/user-namespace-mode.ts"

/** 64 hex digits. */
export type PodId = string & { readonly brand: "PodId" }

/** What a pod is made of; all may be left out. */
export interface PodOptions {
  /** Default: two words of chance. */
  name?: string
  labels?: Readonly<Record<string, string>>
  /** Default: the pod's name. */
  hostname?: string
  /** What its containers share. Default: `network`, `ipc` and `uts`. Without a sandbox: nothing. */
  shares?: readonly SharedNamespace[]
  /** False: it only groups containers. Default true. */
  hasSandbox?: boolean
  /** Default: made of the pod's id. */
  sandboxName?: string
  /** Default: the network `bridge`. */
  network?: NetworkMode
  /** Several networks, or more of the first than its address; `network` names the first then. */
  networks?: readonly NetworkRequest[]
  /** Further networks, by name: of pods that earlier versions made. */
  moreNetworks?: readonly string[]
  /** Of the first network. */
  address?: string
  macAddress?: string
  ports?: readonly PortMapping[]
  /** Where alone its containers may send, on all its networks; undefined: everywhere. */
  allow?: readonly EgressRule[]
  dns?: readonly string[]
  dnsSearch?: readonly string[]
  dnsOptions?: readonly string[]
  extraHosts?: readonly string[]
  /** Every container has these, where it does not say another. */
  namespaces?: NamespaceOptions
  /** Every container has these, before its own. */
  mounts?: readonly MountRequest[]
  volumesFrom?: readonly VolumesFrom[]
  /** Files over /etc of every container, where it does not say another. */
  etc?: EtcOptions
  devices?: readonly DeviceRequest[]
  securityOptions?: readonly string[]
  sysctls?: Readonly<Record<string, string>>
  /** Of the /dev/shm that they share. Default 64 MiB. */
  shmSizeBytes?: number
  /** What all its containers together may have. */
  resources?: Resources
  /** Where the pod's own cgroup lies. Default: below our own. */
  cgroupParent?: string
  /** Whether its containers' cgroups lie in one of the pod's. Default true; always with `resources`. */
  sharesCgroup?: boolean
  /** `stop`: the end of its last container stops the pod. Default `continue`. */
  exitPolicy?: "continue" | "stop"
  /** Of its containers that say none. */
  restart?: RestartPolicy
  /** Whose ids its containers have, where they do not say others. Default: the engine's. */
  userNamespace?: UserNamespaceMode
  /** What front ends keep with it, each under its own name; nobody else reads it. */
  notes?: Readonly<Record<string, string>>
}

/** What is on record of a pod itself. */
export interface PodRow {
  id: PodId
  name: string
  labels: Readonly<Record<string, string>>
  sandboxId?: SandboxId
}

/** Podman's words. */
export type PodStatus = "Created" | "Running" | "Degraded" | "Exited" | "Stopped" | "Paused" | "Error"

/** A pod as it is now. */
export interface Pod {
  id: PodId
  name: string
  createdAt: Date
  options: PodOptions
  status: PodStatus
  /** Undefined: it has none, or somebody was killed as it was made: the next start makes it. */
  sandbox?: Sandbox
  sandboxId?: SandboxId
  /** Oldest first. */
  containers: readonly Container[]
}

/** Values of one key are alternatives (labels: all must fit), keys must all fit. */
export interface PodFilter {
  id?: readonly string[]
  name?: readonly string[]
  label?: readonly string[]
  /** In lower case. */
  status?: readonly string[]
  network?: readonly string[]
  /** Of one of its containers: id or its beginning, name, status. */
  containerId?: readonly string[]
  containerName?: readonly string[]
  containerStatus?: readonly string[]
  containerCount?: readonly number[]
  volume?: readonly string[]
  until?: Date
}

/** How a pod's containers are stopped. */
export interface PodStop extends Cancellable {
  /** Before SIGKILL. Default: each container's own. */
  timeoutSeconds?: number
}

/** All pods of a store. A name may be a name, an id or the beginning of one: methods that take it throw NotFound. */
export interface Pods {
  /** Newest first. */
  list(filter?: PodFilter): Promise<Pod[]>
  get(nameOrId: string): Promise<Pod>
  /** Its id alone: cheap. */
  idOf(nameOrId: string): PodId
  /** Those with this label, without a look at their containers: cheap. */
  labelled(key: string): PodRow[]
  /** Throws AlreadyExists for the name, InvalidArgument, NotFound for a network. Nothing of it runs. */
  create(options: PodOptions): Promise<Pod>
  /** What a container that is to be in the pod is created with. Throws InvalidArgument for what is the pod's to say. */
  containerOptions(nameOrId: string, options: ContainerOptions): Promise<ContainerOptions>
  /**
   * The sandbox, the init containers in order, each to its end (a sidecar until it is up), then all others. What fails of some containers is thrown as an
   * AggregateError after the others were tried.
   */
  start(nameOrId: string, cancellable?: Cancellable): Promise<void>
  /** All its containers, then the sandbox. Safe to repeat. */
  stop(nameOrId: string, options?: PodStop): Promise<void>
  restart(nameOrId: string, options?: PodStop): Promise<void>
  /** Those that run. Throws InvalidArgument for an unknown signal. */
  kill(nameOrId: string, signal: string, cancellable?: Cancellable): Promise<void>
  pause(nameOrId: string, cancellable?: Cancellable): Promise<void>
  unpause(nameOrId: string, cancellable?: Cancellable): Promise<void>
  /** With its containers and their anonymous volumes. Throws FailedPrecondition when one runs and `force` is not set. */
  remove(nameOrId: string, options?: PodStop & { force?: boolean }): Promise<PodId>
  /** Finishes the removals that killed processes had begun. Safe to repeat. */
  reconcile(): Promise<void>
  /** A pod of the same options and containers, as `changes` says; nothing of it runs. */
  clone(nameOrId: string, changes?: PodOptions): Promise<Pod>
}
