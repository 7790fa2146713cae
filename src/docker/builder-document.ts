/** buildah's inspect document: of what a working container's image will say, or of what an image says. */
import type { WorkingContainer } from "../builder/builder.ts"
import { VERSION } from "../base/version.ts"
import type { Image } from "../image/image.ts"
import type { ImageConfig, ImageManifest } from "../spec/oci-image.ts"

/** An image with its documents. */
export interface ImageDocuments {
  image: Image
  config: ImageConfig
  manifest: ImageManifest
}

/** `base`: the image that it began as; undefined for scratch. */
export function workingContainerDocument(container: WorkingContainer, base: ImageDocuments | undefined): object {
  const { id, name, imageName, imageId, createdAt, mountPoint, workingImage, defaults } = container
  const { annotations, comment, createdBy, historyComment, history = [], config, ...about } = workingImage
  const image: ImageConfig = {
    created: createdAt.toISOString(),
    ...about,
    config,
    rootfs: base?.config.rootfs ?? { type: "layers", diff_ids: [] },
    history: base?.config.history ?? [],
  }
  return {
    Type: `skiff ${VERSION}`,
    FromImage: base === undefined ? "" : imageName,
    FromImageID: plain(imageId),
    FromImageDigest: base?.image.manifest.digest ?? "",
    Config: base === undefined ? "" : JSON.stringify(base.config),
    Manifest: base === undefined ? "" : JSON.stringify(base.manifest),
    Container: name,
    ContainerID: id,
    MountPoint: mountPoint ?? "",
    ProcessLabel: "",
    MountLabel: "",
    ImageAnnotations: annotations,
    ImageComment: comment ?? "",
    ImageCreatedBy: createdBy ?? "",
    ImageHistoryComment: historyComment ?? "",
    OCIv1: image,
    Docker: dockerForm(image),
    Format: defaults.format ?? "oci",
    Isolation: "oci",
    RunDefaults: defaults.run ?? {},
    History: [...(image.history ?? []), ...history],
  }
}

/** What an image says. */
export function builderImageDocument({ image, config, manifest }: ImageDocuments): object {
  return {
    Type: `skiff ${VERSION}`,
    FromImage: image.tags[0] ?? "",
    FromImageID: plain(image.id),
    FromImageDigest: image.manifest.digest,
    Config: JSON.stringify(config),
    Manifest: JSON.stringify(manifest),
    Container: "",
    ContainerID: "",
    MountPoint: "",
    ProcessLabel: "",
    MountLabel: "",
    ImageAnnotations: manifest.annotations ?? {},
    ImageComment: "",
    ImageCreatedBy: "",
    OCIv1: config,
    Docker: dockerForm(config),
    History: config.history ?? [],
  }
}

function dockerForm(image: ImageConfig): object {
  return { ...image, container_config: image.config ?? {} }
}

function plain(id: string | undefined): string {
  return id?.replace("sha256:", "") ?? ""
}
