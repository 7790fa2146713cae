import type { EventsDeps } from "./deps.ts"
import type { Events } from "./event.ts"
import { EventFeed } from "./feed.ts"
import { eventFilter } from "./filter.ts"
import { EventRecords } from "./records.ts"
import { readBack, watchEvents } from "./watch.ts"

/** The events of one store. Opens nothing; a watch of the database begins with the first watcher and ends with the last. */
export function openEvents({ db, onAppend }: EventsDeps): Events {
  const records = new EventRecords(db)
  const feed = new EventFeed(db, records)
  return {
    append(event) {
      if (onAppend === undefined) return records.insert(event)
      db.transaction(() => {
        records.insert(event)
        onAppend(event)
      })
    },
    lastId: () => records.lastId(),
    list({ since, until, filter } = {}) {
      const end = until === undefined ? undefined : BigInt(until.getTime()) * 1_000_000n
      const wanted = eventFilter(filter)
      const events = readBack(records, startAfter(records, since) ?? 0, records.lastId())
      return [...events].filter((event) => (end === undefined || event.timeNs <= end) && wanted(event))
    },
    watch({ since, ...query } = {}) {
      return watchEvents({ records, feed }, startAfter(records, since), query)
    },
  }
}

function startAfter(records: EventRecords, since: Date | { id: number } | undefined): number | undefined {
  if (since === undefined) return undefined
  return since instanceof Date ? records.idBefore(since) : since.id
}
