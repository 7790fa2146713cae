/** Types of the OCI image-spec, with the Docker schema 2 fields that images in the wild carry. Pure data. */
import type { Digest, DiffId } from "./digest.ts"
import type { Platform } from "./platform.ts"

/** image-spec media-types.md, and Docker's equals (distribution manifest-v2-2.md). */
export const MediaType = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
} as const

/** A manifest or index that is larger is refused before it is parsed; registries have the same limit. */
export const MAX_MANIFEST_BYTES = 4 * 1024 ** 2

/** image-spec descriptor.md. `urls` are never followed with credentials. */
export interface Descriptor {
  mediaType: string
  digest: Digest
  /** bytes */
  size: number
  platform?: Platform
  annotations?: Record<string, string>
  urls?: readonly string[]
  artifactType?: string
}

/** image-spec manifest.md. */
export interface ImageManifest {
  schemaVersion: 2
  mediaType?: string
  artifactType?: string
  config: Descriptor
  layers: readonly Descriptor[]
  subject?: Descriptor
  annotations?: Record<string, string>
}

/** image-spec image-index.md. */
export interface ImageIndex {
  schemaVersion: 2
  mediaType?: string
  manifests: readonly Descriptor[]
  annotations?: Record<string, string>
}

/** image-spec config.md. `config` keeps the spec's capital names, as docker's inspect shows them. */
export interface ImageConfig {
  created?: string
  author?: string
  architecture: string
  os: string
  variant?: string
  "os.version"?: string
  "os.features"?: readonly string[]
  config?: ImageRunConfig
  rootfs: { type: "layers"; diff_ids: readonly DiffId[] }
  /** Of an image that was built with `--cache-to type=inline`: which steps made its layers. Never read from a base image. */
  "skiff.build-cache.v1"?: object
  history?: readonly HistoryEntry[]
}

/** The run parameters (image-spec config.md#properties, plus Docker's Healthcheck, OnBuild, Shell, names of the host). */
export interface ImageRunConfig {
  Hostname?: string
  Domainname?: string
  User?: string
  ExposedPorts?: Record<string, object>
  Env?: readonly string[]
  Entrypoint?: readonly string[] | null
  Cmd?: readonly string[] | null
  Volumes?: Record<string, object> | null
  WorkingDir?: string
  Labels?: Record<string, string> | null
  StopSignal?: string
  StopTimeout?: number
  ArgsEscaped?: boolean
  Healthcheck?: {
    Test?: readonly string[]
    Interval?: number
    Timeout?: number
    StartPeriod?: number
    StartInterval?: number
    Retries?: number
  }
  OnBuild?: readonly string[] | null
  Shell?: readonly string[] | null
}

/** One line of an image's history (image-spec config.md#properties, `history`). */
export interface HistoryEntry {
  created?: string
  created_by?: string
  author?: string
  comment?: string
  empty_layer?: boolean
}
