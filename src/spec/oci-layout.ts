import { Unsupported } from "../base/errors.ts"
import { MAX_MANIFEST_BYTES, MediaType, type ImageIndex } from "./oci-image.ts"
import { parseDocument } from "./parse-document.ts"
import { parseManifest } from "./parse-manifest.ts"

/** image-spec image-layout.md#oci-layout-file */
export const LAYOUT_FILE = { imageLayoutVersion: "1.0.0" }

/** Throws DataLoss, or Unsupported for a layout of another age. */
export function checkLayoutVersion(bytes: Uint8Array): void {
  const { imageLayoutVersion } = parseDocument(bytes, MAX_MANIFEST_BYTES, "oci-layout")
  if (typeof imageLayoutVersion !== "string" || !imageLayoutVersion.startsWith("1."))
    throw new Unsupported(`the OCI layout has version "${String(imageLayoutVersion).slice(0, 100)}", supported is 1`)
}

/** image-spec image-layout.md#indexjson-file. Throws DataLoss. */
export function parseLayoutIndex(bytes: Uint8Array): ImageIndex {
  const parsed = parseManifest(bytes, MediaType.ociIndex, "index.json")
  // parseManifest takes the type it is told
  if (parsed.kind !== "index") throw new Error("unreachable: an index type gives an index")
  return parsed.index
}
