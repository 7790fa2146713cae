import type { Database } from "../base/database.ts"
import type { Event, EventType, NewEvent } from "./event.ts"

/** Kept are the newest `KEPT_EVENTS` of the last `KEPT_DAYS`; docs/events.md says so. */
export const KEPT_EVENTS = 20_000
const KEPT_DAYS = 30
const DAY_MS = 24 * 60 * 60 * 1000
/** How often an append looks for what is too old. */
const PRUNE_EVERY = 64
/** An image may bring any number of labels of any length: what one event may weigh. */
const MAX_VALUE_LENGTH = 1024
const MAX_ATTRIBUTES_LENGTH = 16 * 1024

interface Row {
  id: number
  time_ns: string
  type: string
  action: string
  actor_id: string
  attributes: string
}

// a nanosecond is too small a part of a number
const COLUMNS = "id, CAST(time_ns AS TEXT) AS time_ns, type, action, actor_id, attributes"

/**
 * A clock tells milliseconds: an event of the same one is a nanosecond later than the one before. A clock that was set back
 * (by a second or more) is believed.
 */
const INSERT = `INSERT INTO events (time_ns, type, action, actor_id, attributes)
  SELECT coalesce(max(?1, CASE WHEN last.time_ns - ?1 < 1000000000 THEN last.time_ns + 1 END), ?1), ?2, ?3, ?4, ?5
  FROM (SELECT (SELECT time_ns FROM events ORDER BY id DESC LIMIT 1) AS time_ns) AS last RETURNING id`

/** The rows of events. */
export class EventRecords {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  insert({ type, action, actor }: NewEvent, now = Date.now()): void {
    const time = BigInt(now) * 1_000_000n
    const attributes = JSON.stringify(limited(actor.attributes))
    const id = this.#db.get<{ id: number }>(INSERT, time, type, action, actor.id, attributes)?.id ?? 0
    if (id % PRUNE_EVERY === 0) this.#prune(id, now)
  }

  /** Those with a larger id than `after`, oldest first, at most `limit`; with `upTo`, none above that id. */
  after(after: number, limit: number, upTo = Number.MAX_SAFE_INTEGER): Event[] {
    return this.#db
      .all<Row>(`SELECT ${COLUMNS} FROM events WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`, after, upTo, limit)
      .map(fromRow)
  }

  lastId(): number {
    return this.#db.get<{ id: number | null }>("SELECT max(id) AS id FROM events")?.id ?? 0
  }

  /** The id after which the events of `time` and later come. */
  idBefore(time: Date): number {
    const since = BigInt(time.getTime()) * 1_000_000n
    const first = this.#db.get<{ id: number }>("SELECT id FROM events WHERE time_ns >= ? ORDER BY id LIMIT 1", since)
    return first === undefined ? this.lastId() : first.id - 1
  }

  #prune(newest: number, now: number): void {
    const oldest = BigInt(now - KEPT_DAYS * DAY_MS) * 1_000_000n
    const first = this.#db.get<{ id: number }>("SELECT id FROM events WHERE time_ns >= ? ORDER BY id LIMIT 1", oldest)
    const keepFrom = Math.max(newest - KEPT_EVENTS + 1, Math.min(first?.id ?? newest, newest))
    this.#db.run("DELETE FROM events WHERE id < ?", keepFrom)
  }
}

function limited(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {}
  let length = 0
  for (const [name, value] of Object.entries(attributes)) {
    if (name.length > MAX_VALUE_LENGTH) continue
    const text = value.slice(0, MAX_VALUE_LENGTH)
    length += name.length + text.length
    if (length > MAX_ATTRIBUTES_LENGTH) break
    kept[name] = text
  }
  return kept
}

function fromRow(row: Row): Event {
  return {
    id: row.id,
    timeNs: BigInt(row.time_ns),
    type: row.type as EventType,
    action: row.action,
    actor: { id: row.actor_id, attributes: JSON.parse(row.attributes) as Record<string, string> },
  }
}
