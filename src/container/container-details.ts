import type { SecretId } from "../secret/secret.ts"
import type { ShownFiles } from "../spec/docker/mount-request.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { SecretRequest } from "../spec/docker/secret-request.ts"
import type { ChainId, Digest } from "../spec/digest.ts"
import type { Descriptor, ImageRunConfig } from "../spec/oci-image.ts"
import type { Platform } from "../spec/platform.ts"
import type { Container } from "./container-state.ts"
import type { ExecId } from "./exec.ts"
import type { Health } from "./health/health.ts"

/** A mount with everything decided: volumes have names and host paths, targets are clean absolute paths. */
export interface MountPoint extends ShownFiles {
  type: "bind" | "volume" | "tmpfs" | "image" | "devpts"
  /** Host path of a bind, reference of an image; a volume has a name instead, a tmpfs neither. */
  source: string
  target: string
  readOnly: boolean
  /** A volume's name. */
  name?: string
  /** The volume belongs to this container alone and goes with it (`rm -v`, `--rm`). */
  anonymous?: boolean
  /** Fill an empty volume with what the image has at `target`, at the first start. */
  copyUp?: boolean
  /** Make the bind's source when it is missing (`-v`). */
  createSource?: boolean
  propagation?: string
  /** A directory or file of the volume or the image, in place of all of it. */
  subpath?: string
  /** How a volume is made that is not there yet. */
  volume?: NewVolume
  image?: { id: Digest; topLayer: ChainId }
}

/** What a mount says of a volume that is made for it. */
export interface NewVolume {
  driver?: string
  options?: Readonly<Record<string, string>>
  labels?: Readonly<Record<string, string>>
}

/** A secret that a container has a copy of; of a file that its maker gave (`ContainerOptions.givenFiles`) the id is empty. */
export type GivenSecret = SecretRequest & { id: SecretId | ""; name: string }

/** Image and options merged (run-parameters.ts): what runs. */
export interface RunParameters {
  entrypoint: readonly string[]
  command: readonly string[]
  env: readonly string[]
  workdir: string
  /** As written, `user[:group]`; names are looked up at each start, in the container's files. */
  user: string
  labels: Record<string, string>
  stopSignal: string
  stopTimeoutSeconds: number
  hostname: string
  exposedPorts: readonly string[]
  ports: readonly PortMapping[]
  volumes: readonly string[]
  healthcheck?: ImageRunConfig["Healthcheck"]
  /** The image's, for a check's `CMD-SHELL`. */
  shell?: readonly string[]
}

/** All there is to know of one container. */
export interface ContainerDetails extends Container {
  run: RunParameters
  /** `source` is a host path of volumes too. */
  mounts: readonly MountPoint[]
  secrets: readonly GivenSecret[]
  /** Of one that runs with ids of its own: lines `INSIDE:OUTSIDE:COUNT`. */
  idMaps?: { uids: readonly string[]; gids: readonly string[] }
  /** Host paths of what is bound over /etc/hosts, /etc/resolv.conf and /etc/hostname; empty when there are none. */
  files: { hosts: string; resolvConf: string; hostname: string }
  /** `upperDirectory`: the host directory of what it wrote; empty when it has none. */
  storage: { driver: string; upperDirectory: string }
  /** Undefined when the image is gone. */
  image?: { platform: Platform; manifest: Descriptor }
  /** Host paths: of what is kept of it, and of its bundle, which is there while it runs. */
  paths: { state: string; config: string; pidFile: string; monitorPidFile: string }
  /** Of its first process, while that runs: `CAP_CHOWN`. */
  capabilities?: { effective: readonly string[]; bounding: readonly string[] }
  /** Undefined: it has no check. */
  healthLog?: Health
  /** Those that run in it now. */
  runningExecs: readonly ExecId[]
  /** Of the run that is under way, or the last one. */
  lastRun: { startedAt?: Date; finishedAt?: Date; exitCode?: number; error?: string; oomKilled: boolean }
}
