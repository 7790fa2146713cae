import type { ImageRunConfig } from "../spec/oci-image.ts"
import { familiarName, type ImageDetails } from "../image/image.ts"

/** Docker's inspect document of an image (Engine API, ImageInspect). */
export function imageDocument({ image, config, storage }: ImageDetails): Record<string, unknown> {
  const [upper, ...lower] = storage.layerDirectories.toReversed()
  return {
    Id: image.id,
    RepoTags: image.tags.map(familiarName),
    RepoDigests: image.repoDigests.map(familiarName),
    Parent: "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? "",
    DockerVersion: "",
    Author: config.author ?? "",
    Config: inspectRunConfig(config.config ?? {}),
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    ...(config["os.version"] === undefined ? {} : { OsVersion: config["os.version"] }),
    Size: image.sizeBytes,
    GraphDriver: {
      Data: {
        ...(lower.length === 0 ? {} : { LowerDir: lower.join(":") }),
        ...(upper === undefined ? {} : { UpperDir: upper }),
      },
      Name: storage.driver,
    },
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: "0001-01-01T00:00:00Z" },
    Descriptor: image.manifest,
  }
}

/** Docker shows a field that is not set as null or empty, so that templates may name it. */
function inspectRunConfig(config: ImageRunConfig): Record<string, unknown> {
  const { User = "", WorkingDir = "", Env, Cmd, Entrypoint, Volumes, OnBuild, Labels, ...rest } = config
  return {
    User,
    Env: Env ?? null,
    Cmd: Cmd ?? null,
    Volumes: Volumes ?? null,
    WorkingDir,
    Entrypoint: Entrypoint ?? null,
    OnBuild: OnBuild ?? null,
    Labels: Labels ?? null,
    ...rest,
  }
}
