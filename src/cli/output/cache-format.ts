import { CACHE_TITLES } from "../../docker/cache-row.ts"
import type { ListFormat } from "./list.ts"

/** How `builder du` and `builder prune` show records of the build cache. */
export const CACHE_FORMAT: ListFormat = {
  titles: CACHE_TITLES,
  table: "table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.Reclaimable}}\t{{.LastUsedSince}}\t{{.Description}}",
  quiet: "{{.ID}}",
}
