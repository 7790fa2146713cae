import { formatSize } from "../base/sizes.ts"
import type { CacheUse } from "../build/build.ts"
import { formatAgo } from "./ages.ts"

const SHORT_ID = 12
const SHORT_DESCRIPTION = 50

/** A record of the build cache as `builder du` lists it, with docker's names. */
export interface CacheRow {
  ID: string
  CacheType: string
  Size: string
  CreatedAt: string
  CreatedSince: string
  LastUsedAt: string
  LastUsedSince: string
  UsageCount: string
  InUse: string
  Reclaimable: string
  Description: string
}

/** A row of `builder du`; `whole`: ids and descriptions are not cut. */
export function cacheRow(use: CacheUse, now: Date, whole: boolean): CacheRow {
  const { id, type, description, sizeBytes, createdAt, lastUsedAt, uses, inUse } = use
  const short = description.length > SHORT_DESCRIPTION ? `${description.slice(0, SHORT_DESCRIPTION - 1)}…` : description
  return {
    ID: whole ? id : id.replace(/^sha256:/, "").slice(0, SHORT_ID),
    CacheType: type,
    Size: formatSize(sizeBytes),
    CreatedAt: createdAt.toISOString(),
    CreatedSince: formatAgo(createdAt, now),
    LastUsedAt: lastUsedAt.toISOString(),
    LastUsedSince: formatAgo(lastUsedAt, now),
    UsageCount: String(uses),
    InUse: String(inUse),
    Reclaimable: String(!inUse),
    Description: whole ? description : short,
  }
}

/** Column titles of its fields. */
export const CACHE_TITLES = {
  ID: "ID",
  CacheType: "CACHE TYPE",
  Size: "SIZE",
  CreatedAt: "CREATED AT",
  CreatedSince: "CREATED",
  LastUsedAt: "LAST USED AT",
  LastUsedSince: "LAST USED",
  UsageCount: "USAGE",
  InUse: "IN USE",
  Reclaimable: "RECLAIMABLE",
  Description: "DESCRIPTION",
}
