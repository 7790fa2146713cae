import { formatSize } from "../base/sizes.ts"
import type { HistoryLine } from "../image/image.ts"
import { formatAgo } from "./ages.ts"
import { ellipsis } from "./ellipsis.ts"

/** Column titles of its fields. */
export const HISTORY_TITLES = {
  ID: "IMAGE",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  CreatedBy: "CREATED BY",
  Size: "SIZE",
  Comment: "COMMENT",
}

/** A line of `history`. */
export function historyRow(
  { id, createdAt, createdBy, sizeBytes, comment }: HistoryLine,
  { noTrunc, human, now = new Date() }: { noTrunc: boolean; human: boolean; now?: Date },
): object {
  const by = createdBy.replaceAll(/\s+/g, " ")
  return {
    ID: noTrunc ? id : id.replace(/^sha256:/, "").slice(0, 12),
    CreatedSince: createdAt ? formatAgo(createdAt, now) : "N/A",
    CreatedAt: createdAt ? createdAt.toISOString().replace(/\.\d+Z$/, "Z") : "",
    CreatedBy: noTrunc ? by : ellipsis(by, 45),
    Size: human ? formatSize(sizeBytes) : String(sizeBytes),
    Comment: comment,
  }
}
