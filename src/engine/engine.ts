/**
 * The engine: opens the stores of one user and chooses the implementation of each contract. The only place that does.
 * Nothing is opened before it is asked for, so a command pays for what it uses.
 */
import type { Cancellable } from "../base/cancel.ts"
import type { EngineInfo } from "../docker/info-document.ts"
import type { Audit, AuditCaller } from "../audit/audit.ts"
import type { Builds } from "../build/build.ts"
import type { WorkingContainers } from "../builder/builder.ts"
import type { Containers } from "../container/container.ts"
import type { CheckReport, CheckRequest } from "./check.ts"
import type { DiskUsage } from "./disk-usage.ts"
import type { PruneReport, PruneRequest } from "./prune.ts"
import type { RegistryStoreOptions } from "./registry-store.ts"
import type { HostCheck } from "../doctor/doctor.ts"
import type { Explorer } from "../explore/explore.ts"
import type { Explanations } from "../explain/explain.ts"
import type { Events } from "../event/event.ts"
import type { Meter } from "../meter/meter.ts"
import type { Images } from "../image/image.ts"
import type { Compose } from "../compose/compose.ts"
import type { Kube, KubeApi, KubeControl, KubeObjects } from "../kube/kube.ts"
import type { Networks } from "../network/network.ts"
import type { Pods } from "../pod/pod.ts"
import type { Registries, RegistryStore } from "../registry/registry.ts"
import type { Artifacts } from "../artifact/artifact.ts"
import type { ManifestLists } from "../manifest/manifest.ts"
import type { Scans } from "../scan/scan.ts"
import type { Secrets } from "../secret/secret.ts"
import type { Sandboxes } from "../sandbox/sandbox.ts"
import type { Volumes } from "../volume/volume.ts"

export type { CacheEntryUse, ContainerUse, DiskUsage, ImageUse, NetworkUse, VolumeUse } from "./disk-usage.ts"
export type { CheckReport, CheckRequest, StoreFault } from "./check.ts"
export type { BucketAddress } from "../sys/net/bucket.ts"
export type { RegistryStoreOptions } from "./registry-store.ts"
export type { PruneKind, PruneReport, PruneRequest } from "./prune.ts"

/** What an engine is opened with; all have defaults. */
export interface EngineOptions {
  /** Persistent state; default `/var/lib/skiff`, rootless `$XDG_DATA_HOME/skiff`. */
  root?: string
  /** Volatile state; default `/run/skiff`, rootless `$XDG_RUNTIME_DIR/skiff`. */
  runRoot?: string
  /** `--runtime` of the whole engine. */
  runtime?: string
  /** For the runtime itself, before its verb, without dashes: `debug`, `log-format=json`. */
  runtimeFlags?: readonly string[]
  /** Directories of hooks in place of the host's. */
  hooksDirectories?: readonly string[]
  /** Whether an image that is here is found by the end of its name: podman's. */
  looseNames?: boolean
  /** For the audit log; default: this process, of which no command is known. */
  caller?: () => AuditCaller
  /** Words that run skiff, for what outlives this process; default: this very program. */
  command?: readonly string[]
}

/** Where pods are. */
export interface PodPlace {
  /** Of their network: the host's own address in it. */
  gateway: string
  /** The range of Services. */
  services: string
  /** Their network is not the host's: who listens at this socket has their connections, once they are relayed. */
  relay?: { socket: string; start(port: number): Disposable }
}

/** Domains load when first asked for: `const images = await engine.images()`. */
export interface Engine extends AsyncDisposable {
  images(): Promise<Images>
  containers(): Promise<Containers>
  sandboxes(): Promise<Sandboxes>
  pods(): Promise<Pods>
  compose(): Promise<Compose>
  kube(): Promise<Kube>
  /**
   * The objects of the cluster that this machine is: records alone, cheap to open. Whatever is written by it has the supervisor started
   * when there is something to do: nobody else has to.
   */
  kubeObjects(): Promise<KubeObjects>
  /** Kubernetes' API over those objects. */
  kubeApi(): Promise<KubeApi>
  /** Where a server must listen that pods are to reach. Makes the cluster's network where it is not there. */
  podPlace(): Promise<PodPlace>
  /** For the process that an ordinary user's `podPlace` starts alone. */
  relayFromPods(request: { port: number; socket: string }): Promise<void>
  /** Whether objects, or what is left of pods, need somebody who stays. Where there are no objects it costs a look at a table. */
  needsKubeControl(): Promise<boolean>
  /** For the supervisor alone. */
  kubeControl(): Promise<KubeControl>
  networks(): Promise<Networks>
  volumes(): Promise<Volumes>
  secrets(): Promise<Secrets>
  manifestLists(): Promise<ManifestLists>
  artifacts(): Promise<Artifacts>
  builds(): Promise<Builds>
  workingContainers(): Promise<WorkingContainers>
  registries(): Promise<Registries>
  /**
   * What a registry serves that has its content in a directory of its own; `dispose` when it is served no more. `proxyOf`: what it
   * has not is fetched from the registry of this host name. `bucket`: that has it, and the directory what is under way. Throws Unavailable where the
   * bucket cannot be read.
   */
  registryStore(directory: string, options?: RegistryStoreOptions): Promise<RegistryStore & AsyncDisposable>
  /** Who changed what. */
  audit(): Promise<Audit>
  /** What happened to all of these, replayed and watched. */
  events(): Promise<Events>
  /** Looks into the layers of images. */
  explorer(): Promise<Explorer>
  /** What containers are, from the kernel's own words. */
  explanations(): Promise<Explanations>
  /** What is wrong with images, containers, directories. */
  scans(): Promise<Scans>
  /** What containers have used, also those that are gone. */
  meter(): Promise<Meter>
  /** What all of it takes on disk: reads everything in the store. */
  diskUsage(options?: Cancellable): Promise<DiskUsage>
  /** Whether the store holds what its records say; a repair removes what is damaged. */
  check(request?: CheckRequest): Promise<CheckReport>
  /** Removes what nobody uses. */
  prune(request: PruneRequest): Promise<PruneReport>
  info(): Promise<EngineInfo>
  /** Undefined: another process supervises this store, and does until it lets go. `wasHanded`: by who started us. */
  takeSupervision(wasHanded?: boolean): Promise<Disposable | undefined>
  /** Until disposed: should this process, which supervises, be killed, another one takes its place by itself. */
  keepSuccessor(): Promise<Disposable>
  /** Undefined: another process looks at running containers. `wasHanded`: by who started us. */
  takeRescan(wasHanded?: boolean): Promise<Disposable | undefined>
  /** Has running containers scanned again, by a process of its own, where the data are others; false: nobody watches them. */
  keepScanned(): Promise<boolean>
  /** Answers containers' questions for names until nobody is on a network that has such, or another process does it. */
  resolveNames(options?: { wasHanded?: boolean }): Promise<void>
  /** Answers requests by Kubernetes' Ingresses as long as there are any, or another process does it. */
  serveIngresses(options?: { wasHanded?: boolean }): Promise<void>
  /** Starts the resolver of names where one is needed and was killed. Where there is none to be needed it costs 5 µs. */
  keepResolver(): Promise<void>
  /**
   * What commands do at their end, for a process that stays: call it every half minute or so. Repairs what killed processes
   * left and what somebody flushed from nftables, brings the records' log back to its size. Safe to repeat, and beside all else;
   * cancelled, it ends after the container that it is at.
   */
  maintain(options?: Cancellable): Promise<void>
  /** Host requirements, present or not, each with its repair. */
  doctor(): Promise<HostCheck[]>
  /** What `reset` would remove. */
  contents(): Promise<StoreContents>
  /**
   * Removes everything: containers, images, volumes, networks, the store itself, and an ordinary user's pause process. Nothing
   * of this engine can be used after it. Throws FailedPrecondition when another process is at work on the store.
   */
  reset(): Promise<void>
}

/** What a reset would remove, to be shown before. */
export interface StoreContents {
  root: string
  runRoot: string
  /** The records cannot be read: what there is, nobody knows, and all numbers are 0. */
  isDamaged: boolean
  containers: number
  /** Of the containers: those that run, or are paused. */
  running: number
  workingContainers: number
  images: number
  /** Their names. */
  volumes: string[]
  /** Names of those that were made, besides the default one. */
  networks: string[]
}
