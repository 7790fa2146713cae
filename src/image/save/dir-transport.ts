import type { ContentStore } from "../../content/content.ts"
import { digestHex } from "../../spec/digest.ts"
import { documentFile, type LeasedSet, type SavedFile } from "./saved-file.ts"

/** A `dir:` directory (containers-transports(5)): the manifest as it is, each blob by its hex digits. It knows no names. */
export async function* dirTransportFiles(
  content: ContentStore,
  [set]: readonly LeasedSet[],
): AsyncGenerator<SavedFile> {
  if (set === undefined) return
  const { bytes, manifest } = set.members[0].leased
  const blobs = new Map([...manifest.layers, manifest.config].map((blob) => [blob.digest, blob.size]))
  for (const [digest, size] of blobs)
    yield { name: digestHex(digest), size, bytes: () => content.read(digest, { start: 0, reuse: true }) }
  yield documentFile("manifest.json", bytes)
  yield documentFile("version", Buffer.from("Directory Transport Version: 1.1\n"))
}
