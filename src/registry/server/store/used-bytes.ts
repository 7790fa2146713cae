import { TimeSlice } from "../../../base/time-slice.ts"
import type { ContentStore } from "../../../content/content.ts"
import type { Digest } from "../../../spec/digest.ts"
import type { RepositoryFiles } from "./repository-files.ts"

/** Bytes of what those repositories have; of all blobs, when none are named. What several have is counted once. */
export async function usedBytes(
  files: RepositoryFiles,
  content: ContentStore,
  isOf?: (repository: string) => boolean,
): Promise<number> {
  const slice = new TimeSlice()
  let bytes = 0
  for (const { size } of isOf === undefined ? content.list() : []) {
    bytes += size
    if (slice.isOver) await slice.giveWay()
  }
  if (isOf === undefined) return bytes
  const found = new Set<Digest>()
  for (const repository of files.allRepositories()) {
    if (!isOf(repository)) continue
    for (const { digest } of files.blobs(repository)) found.add(digest)
    for (const { digest } of files.manifests(repository)) found.add(digest)
    if (slice.isOver) await slice.giveWay()
  }
  for (const digest of found) {
    bytes += content.has(digest) ? content.info(digest).size : 0
    if (slice.isOver) await slice.giveWay()
  }
  return bytes
}
