import type { Bytes } from "../../base/bytes.ts"
import type { Image } from "../../image/image.ts"
import { clampTimes } from "../../sys/clamp-times.ts"
import type { BuildHost } from "../build-host.ts"
import { workingKey, type WorkingRecord } from "./records.ts"
import type { WorkingCommit } from "./working.ts"

const DEFAULT_CREATED_BY = "/bin/sh"

/** See `WorkingContainers.commit`. */
export async function commitWorking(
  { images, snapshots }: BuildHost,
  record: WorkingRecord,
  { name, format, squash, epoch }: WorkingCommit,
): Promise<Image> {
  const { annotations, comment, createdBy = DEFAULT_CREATED_BY, ...about } = record.draft
  const key = workingKey(record)
  if (epoch !== undefined) clampTimes(snapshots.diffPath(key), epoch)
  const layer: Bytes = snapshots.diff(key, squash ? { since: "nothing" } : {})
  const base = squash || record.imageId === undefined ? undefined : images.get(record.imageId)
  return await images.createFromTar(layer, {
    ...(name === undefined ? {} : { name }),
    ...(base === undefined ? {} : { base }),
    format,
    config: { ...about, created: new Date(epoch === undefined ? Date.now() : epoch * 1000).toISOString() },
    createdBy,
    ...(comment === undefined ? {} : { comment }),
    ...(about.author === undefined ? {} : { author: about.author }),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  })
}
