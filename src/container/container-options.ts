import type { NetworkRequest } from "../network/network.ts"
import type { RegistryAccess } from "../registry/registry.ts"
import type { DeviceRequest } from "../spec/docker/device-request.ts"
import type { MountRequest } from "../spec/docker/mount-request.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { ResourceLimits } from "../spec/docker/resource-limits.ts"
import type { RestartPolicy } from "../spec/docker/restart-policy.ts"
import type { SecretRequest } from "../spec/docker/secret-request.ts"
import type { Ulimit } from "../spec/docker/ulimit.ts"
import type { VolumesFrom } from "../spec/docker/volumes-from.ts"
import type { LifecycleHook } from "./lifecycle-hook.ts"
import type { HealthOptions } from "./health/health.ts"
import type { AccountOptions, EnvironmentOptions, EtcOptions, ProcessOptions, TreeOptions } from "./identity-options.ts"
import type { LimitOptions } from "./limit-options.ts"
import type { NamespaceOptions } from "./namespace-options.ts"
import type { EgressOptions } from "./egress-options.ts"
import type { NetworkLimits } from "./network-limits.ts"
import type { SecurityOptions } from "./security-options.ts"
import type { UserNamespaceMode } from "./user-namespace-options.ts"

/** Whose network a container has: one of its own on a bridge or without any, the host's, another container's, one at a path. */
export type NetworkMode =
  | { kind: "bridge"; name: string }
  | { kind: "none" }
  /** The host's addresses, by a pasta of its own that is told these words. */
  | { kind: "pasta"; options: readonly string[] }
  | { kind: "host" }
  | { kind: "container"; container: string }
  | { kind: "path"; path: string }

/** A file for one container, that no store of secrets has. */
export interface GivenFile {
  /** As it is told of. */
  name: string
  /** Absolute, or below /run/secrets. */
  target: string
  uid: number
  gid: number
  mode: number
  data: Uint8Array
}

/** `create`'s input. Only the image must be named; what is left out has the default named here (options.ts). */
export interface ContainerOptions {
  /** Default: two words of chance, `brave_lovelace`. */
  name?: string
  /** As typed. */
  image: string
  /** Default: the host's. */
  platform?: string
  /** Default `missing`. */
  pull?: "always" | "missing" | "never"
  /** Words after the image. Default: the image's. */
  command?: readonly string[]
  /** `[]` clears the image's. Default: the image's. */
  entrypoint?: readonly string[]
  /** `NAME=VALUE`, on top of the image's; `NAME` alone takes it away. */
  env?: readonly string[]
  /** On top of the image's. */
  labels?: Record<string, string>
  /** Default: the image's, else `/`. */
  workdir?: string
  /** `user[:group]`. Default: the image's, else root. */
  user?: string
  groupAdd?: readonly string[]
  /** Groups in which the image lists its user. Default: where `user` names no group. */
  imageGroups?: "always" | "never"
  /** Default: the id's first 12 digits; the host's with its network. */
  hostname?: string
  domainname?: string
  tty?: boolean
  /** Keep standard input open. */
  stdin?: boolean
  /** It stays open when who was attached goes. Default: with a terminal. */
  keepStdin?: boolean
  /** The terminal's size as the program starts (config.json `consoleSize`). */
  consoleSize?: { rows: number; columns: number }
  /** A small init forwards signals and reaps processes. */
  init?: boolean
  readOnly?: boolean
  /** It goes with its end, its anonymous volumes too. */
  autoRemove?: boolean
  mounts?: readonly MountRequest[]
  /** Containers whose volumes and binds this one has too, as they are when it is made. */
  volumesFrom?: readonly VolumesFrom[]
  /** By name or id. Each is copied as the container is created, and never part of its files or of what is told of it. */
  secrets?: readonly SecretRequest[]
  /** Files that are this container's alone, in memory while it runs, on top of `secrets`. Their bytes are copied, and not kept here. */
  givenFiles?: readonly GivenFile[]
  /** Default: the network `bridge`. */
  network?: NetworkMode
  /** Several networks, or more of the first than its address; `network` names the first then. Default: that one alone. */
  networks?: readonly NetworkRequest[]
  /** Names or ids of containers that are started before it. */
  requires?: readonly string[]
  /** Its image goes with it, unless somebody else uses that. */
  removeImage?: boolean
  /** It is killed when it has run for so long. */
  runTimeoutSeconds?: number
  /** Default: all its own. */
  namespaces?: NamespaceOptions
  /** Default: the engine's. */
  userNamespace?: UserNamespaceMode
  environment?: EnvironmentOptions
  accounts?: AccountOptions
  etc?: EtcOptions
  process?: ProcessOptions
  tree?: TreeOptions
  /** Of `config.json`: for runtimes and hooks. */
  annotations?: Readonly<Record<string, string>>
  /** How a missing image is pulled. Not kept. */
  registry?: RegistryAccess
  /** Name or id of the sandbox that it lives in: its namespaces, host name and networks are the sandbox's. */
  sandbox?: string
  /** The pod that it belongs to: the domain of pods gives both (`Pods.containerOptions`). */
  pod?: { id: string; name: string }
  /** Of a pod: it runs to its end before the others start; `once`: and is removed then; `sidecar`: they start once it is up, and it stays. */
  initContainer?: "always" | "once" | "sidecar"
  ports?: readonly PortMapping[]
  /** All exposed ports get host ports of chance. */
  publishAll?: boolean
  /** Of the first attachment to a bridge. Default: the next free one. */
  address?: string
  macAddress?: string
  /** `80/tcp`, on top of the image's. */
  expose?: readonly string[]
  /** Default: the host's, for all three. */
  dns?: readonly string[]
  dnsSearch?: readonly string[]
  dnsOptions?: readonly string[]
  /** `name:address`; the address may be `host-gateway`. */
  extraHosts?: readonly string[]
  /** Default: 4,096 processes where the host can count them, no limit else. */
  resources?: ResourceLimits
  limits?: LimitOptions
  security?: SecurityOptions
  networkLimits?: NetworkLimits
  /** Default: it sends where it likes. */
  egress?: EgressOptions
  /** Default 64 MiB. */
  shmSizeBytes?: number
  ulimits?: readonly Ulimit[]
  capAdd?: readonly string[]
  capDrop?: readonly string[]
  privileged?: boolean
  /** Docker's words: `no-new-privileges`, `seccomp=FILE|unconfined`. */
  securityOptions?: readonly string[]
  sysctls?: Record<string, string>
  devices?: readonly DeviceRequest[]
  /** Default `no`. */
  restart?: RestartPolicy
  /** Default: the image's, else SIGTERM. */
  stopSignal?: string
  /** Default: the image's, else 10. */
  stopTimeoutSeconds?: number
  /** Default: the image's check. */
  health?: HealthOptions
  /** Done at the ends of each of its runs. */
  lifecycle?: { postStart?: LifecycleHook; preStop?: LifecycleHook }
  /** The command line that made it, for who writes it down elsewhere. */
  createCommand?: readonly string[]
  /** What front ends keep with it, each under its own name; nobody else reads it. */
  notes?: Readonly<Record<string, string>>
  /** Who tells the service manager of its caller that it is ready. Default: nobody. */
  sdnotify?: "container" | "conmon" | "healthy" | "ignore"
  /** Default: `k8s-file`, which keeps at most 50 MB. */
  log?: { driver?: string; options?: Record<string, string> }
  /** `crun`, `runc`, a path. Default: the engine's choice. */
  runtime?: string
}

/** Options with their defaults filled in, as the record keeps them. */
export type ResolvedOptions = ContainerOptions &
  Required<Pick<ContainerOptions, DefaultedOption>> & {
    log: { driver: string; options: Record<string, string> }
  }

type DefaultedOption =
  | "pull"
  | "env"
  | "labels"
  | "groupAdd"
  | "tty"
  | "stdin"
  | "init"
  | "readOnly"
  | "autoRemove"
  | "mounts"
  | "network"
  | "ports"
  | "publishAll"
  | "expose"
  | "dns"
  | "dnsSearch"
  | "dnsOptions"
  | "extraHosts"
  | "resources"
  | "ulimits"
  | "capAdd"
  | "capDrop"
  | "privileged"
  | "securityOptions"
  | "sysctls"
  | "devices"
  | "restart"
  | "log"
