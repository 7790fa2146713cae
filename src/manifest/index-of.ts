import { MediaType, type Descriptor, type ImageIndex } from "../spec/oci-image.ts"
import type { ManifestList } from "./manifest.ts"

/** The index of a list whose entries are these (image-spec image-index.md). Pure. */
export function indexOf(
  { annotations, subject }: Pick<ManifestList, "annotations" | "subject">,
  manifests: readonly Descriptor[],
  format: "oci" | "docker",
): ImageIndex & { subject?: Descriptor } {
  return {
    schemaVersion: 2,
    mediaType: format === "docker" ? MediaType.dockerList : MediaType.ociIndex,
    manifests,
    ...(Object.keys(annotations).length > 0 && { annotations: { ...annotations } }),
    ...(subject !== undefined && { subject }),
  }
}
