import type { ContentStore } from "../../content/content.ts"
import { digestHex } from "../../spec/digest.ts"
import { readManifest } from "../held-manifest.ts"
import { documentFile } from "./oci-layout.ts"
import type { NamedImage, SavedFile } from "./save-images.ts"

/** A `dir:` folder (containers-transports(5)): the manifest as it is, each blob by its hex digits. It knows no names. */
export async function* dirTransportFiles(content: ContentStore, { image }: NamedImage): AsyncGenerator<SavedFile> {
  const { bytes, manifest } = await readManifest(content, image)
  const blobs = new Map([...manifest.layers, manifest.config].map((blob) => [blob.digest, blob.size]))
  for (const [digest, size] of blobs) yield { name: digestHex(digest), size, bytes: () => content.read(digest) }
  yield documentFile("manifest.json", bytes)
  yield documentFile("version", Buffer.from("Directory Transport Version: 1.1\n"))
}
