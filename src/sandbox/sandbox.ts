/**
 * Sandboxes: the namespaces that several containers share. The ground of pods, and of Kubernetes' and CRI's.
 *
 *   create ─▶ ready ─ stop ─▶ stopped ─ start ─▶ ready     remove, from either
 *                 a boot of the machine ─▶ stopped
 *
 * A sandbox has namespaces of its own (network, ipc, uts, and pid if asked for), a /dev/shm, a host name, and is on networks. They
 * are held by bind mounts below its run directory: no process runs for them, but for a pid namespace, which needs a first one.
 * They live until `stop`, whether there is a container or not; one that still runs then keeps what it is in. By choice the first
 * container that starts makes it ready (`onDemand`), and the last that ends stops it (`stopsWithLast`).
 *
 * Each change holds the sandbox's lock (flock) and writes the row before and after: one that was killed is taken back by the
 * next change of it, or by `reconcile`. What happens is told (event/), as type `sandbox`.
 */
import type { Cancellable } from "../base/cancel.ts"
import type { EndpointStatus, NetworkRequest } from "../network/network.ts"
import type { EgressRule } from "../spec/docker/egress-rule.ts"
import type { ResourceLimits } from "../spec/docker/resource-limits.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { StreamConnection } from "../sys/net/loopback-connection.ts"

/** 64 hex digits. */
export type SandboxId = string & { readonly brand: "SandboxId" }

export type SharedNamespace = "network" | "ipc" | "uts" | "pid"

export interface SandboxOptions {
  name: string
  hostname: string
  domainname?: string
  labels: Readonly<Record<string, string>>
  /** Whether its containers share a pid namespace, too. */
  sharePid: boolean
  /** What its containers have from it, besides; the rest each has for itself. Default: `network`, `ipc` and `uts`. */
  shares?: readonly Exclude<SharedNamespace, "pid">[]
  /** A container that starts makes it ready. Default: its start is refused until somebody else has. */
  onDemand?: boolean
  /** The end of the last container in it stops it. */
  stopsWithLast?: boolean
  /** In order. One of them has the uplink, and the published ports (`Networks.arrange`). None: only a loopback. */
  networks: readonly NetworkRequest[]
  ports: readonly PortMapping[]
  /** Where alone it may send; undefined: everywhere. */
  allow?: readonly EgressRule[]
  /** Of /dev/shm. */
  shmSizeBytes: number
  /** Of all its containers together. Default: each has a cgroup of its own, somewhere else. */
  cgroup?: {
    /** Where it lies. Default: below our own. */
    parent?: string
    limits: ResourceLimits
  }
}

export interface Sandbox {
  id: SandboxId
  name: string
  createdAt: Date
  options: SandboxOptions
  state:
    | {
        status: "ready"
        /** Paths that open those that are shared. */
        namespaces: Readonly<Partial<Record<SharedNamespace, string>>>
        /** Host path of the /dev/shm that goes with a shared `ipc`. */
        shm: string
      }
    | { status: "stopped" }
  /** Where its containers' cgroups lie; absent: elsewhere. */
  cgroupPath?: string
  /** When its namespaces were last made; absent: never. */
  startedAt?: Date
  /** In the order of `options.networks`; empty while it is stopped. */
  endpoints: readonly (EndpointStatus & { networkId: string })[]
}

export interface SandboxFilter {
  name?: readonly string[]
  label?: readonly string[]
}

export interface Sandboxes {
  /** Newest first. */
  list(filter?: SandboxFilter): Sandbox[]
  /** By id, id prefix or name. Throws NotFound, or InvalidArgument for an ambiguous prefix. */
  get(nameOrId: string): Sandbox
  /**
   * Makes it, ready; or with `start: false` only its record, stopped. `id`: one that its owner has written down before. Throws AlreadyExists for the name or a port, NotFound for a network, FailedPrecondition when a pid
   * namespace is asked for and no first process can be had, Cancelled. Whatever it throws, nothing is left.
   */
  create(options: SandboxOptions, how?: Cancellable & { start?: boolean; id?: SandboxId }): Promise<Sandbox>
  /** Makes the namespaces anew. Does nothing when it is ready. Throws as `create`; the row stays, stopped. */
  start(nameOrId: string, cancellable?: Cancellable): Promise<Sandbox>
  /**
   * Lets go of namespaces, addresses and ports. Safe to repeat. `unless` is asked when nobody can start it meanwhile. Throws
   * NotFound; Cancelled before anything is let go.
   */
  stop(nameOrId: string, how?: Cancellable & { unless?: () => boolean }): Promise<void>
  /** Throws FailedPrecondition while a container is in it; NotFound; Cancelled before anything is let go. */
  remove(nameOrId: string, cancellable?: Cancellable): Promise<void>
  /**
   * Connects to a TCP port of its loopback, from inside; to one of the host's, where it shares no network. Throws NotFound,
   * FailedPrecondition when it is not ready, Unavailable when nobody answers.
   */
  connect(nameOrId: string, port: number): Promise<StreamConnection>
  /** Takes back what killed processes left of sandboxes. Safe to repeat. */
  reconcile(): Promise<void>
}
