/** buildah's inspect document: of what a working container's image will say, or of what an image says. */
import type { WorkingContainer } from "../../builder/builder.ts"
import { VERSION } from "../../base/version.ts"
import type { Image, Images } from "../../image/image.ts"
import type { ImageConfig } from "../../spec/oci-image.ts"

export async function containerDocument(images: Images, container: WorkingContainer): Promise<object> {
  const { id, name, imageName, imageId, createdAt, mountPoint, workingImage, defaults } = container
  const { annotations, comment, createdBy, historyComment, history = [], config, ...about } = workingImage
  const base = imageId === undefined ? undefined : images.get(imageId)
  const below = await documentsOf(images, base)
  const image: ImageConfig = {
    created: createdAt.toISOString(),
    ...about,
    config,
    rootfs: below.config?.rootfs ?? { type: "layers", diff_ids: [] },
    history: below.config?.history ?? [],
  }
  return {
    Type: `skiff ${VERSION}`,
    FromImage: base === undefined ? "" : imageName,
    FromImageID: plain(imageId),
    FromImageDigest: base?.manifest.digest ?? "",
    Config: below.config === undefined ? "" : JSON.stringify(below.config),
    Manifest: below.manifest === undefined ? "" : JSON.stringify(below.manifest),
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

export async function imageDocument(images: Images, image: Image): Promise<object> {
  const { config, manifest } = await documentsOf(images, image)
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
    ImageAnnotations: manifest?.annotations ?? {},
    ImageComment: "",
    ImageCreatedBy: "",
    OCIv1: config,
    Docker: config && dockerForm(config),
    History: config?.history ?? [],
  }
}

async function documentsOf(images: Images, image: Image | undefined) {
  if (image === undefined) return { config: undefined, manifest: undefined }
  const [config, manifest] = await Promise.all([images.config(image), images.manifest(image)])
  return { config, manifest }
}

function dockerForm(image: ImageConfig): object {
  return { ...image, container_config: image.config ?? {} }
}

function plain(id: string | undefined): string {
  return id?.replace("sha256:", "") ?? ""
}
