import { ageOf } from "../../api/tables/age.ts"
import { numberAt, textAt, type Tree } from "../../field.ts"

/** Events below an object, the oldest first. */
export function eventTable(events: readonly Tree[]): string[][] {
  if (events.length === 0) return []
  const rows = events
    .toSorted((a, b) => (last(a) < last(b) ? -1 : 1))
    .map((event) => {
      const first = textAt(event, "firstTimestamp") || textAt(event, "eventTime") || last(event)
      const count = numberAt(event, "series", "count") ?? numberAt(event, "count") ?? 1
      const age = count > 1 ? `${ageOf(last(event))} (x${count} over ${ageOf(first)})` : ageOf(first)
      const from = textAt(event, "source", "component") || textAt(event, "reportingComponent")
      const place = textAt(event, "involvedObject", "fieldPath")
      const message = `${place === "" ? "" : `${place}: `}${textAt(event, "message").trim()}`
      return [textAt(event, "type"), textAt(event, "reason"), age, from, message]
    })
  return [["Type", "Reason", "Age", "From", "Message"], ["----", "------", "----", "----", "-------"], ...rows]
}

function last(event: Tree): string {
  const series = textAt(event, "series", "lastObservedTime") || textAt(event, "lastTimestamp")
  return series || textAt(event, "eventTime") || textAt(event, "metadata", "creationTimestamp")
}
