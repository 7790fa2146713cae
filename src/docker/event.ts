import type { Event, EventType } from "../event/event.ts"

/** Docker's event message (Engine API, SystemEvents). */
export interface EventDocument {
  /** As before API 1.22: of containers and images only. */
  status?: string
  id?: string
  /** The image of a container. */
  from?: string
  Type: EventType
  Action: string
  Actor: { ID: string; Attributes: Readonly<Record<string, string>> }
  scope: "local"
  /** Seconds. */
  time: number
  /** For JSON alone, where it is exact: more digits than a number of JavaScript holds. */
  timeNano: number
}

const RAW = JSON as unknown as { rawJSON(text: string): number }

/** Pure. */
export function eventDocument({ type, action, actor, timeNs }: Event): EventDocument {
  const isOld = type === "container" || type === "image"
  const from = type === "container" ? actor.attributes.image : undefined
  return {
    ...(isOld ? { status: action, id: actor.id } : {}),
    ...(from === undefined ? {} : { from }),
    Type: type,
    Action: action,
    Actor: { ID: actor.id, Attributes: actor.attributes },
    scope: "local",
    time: Number(timeNs / 1_000_000_000n),
    timeNano: RAW.rawJSON(String(timeNs)),
  }
}

/** The line of `docker events`: `2026-11-21T10:00:00.000000000Z container start 4f0… (image=nginx, name=web)`. Pure. */
export function eventLine({ type, action, actor, timeNs }: Event): string {
  const attributes = Object.entries(actor.attributes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
  const suffix = attributes.length === 0 ? "" : ` (${attributes.join(", ")})`
  return `${localTime(timeNs)} ${type} ${action} ${actor.id}${suffix}`
}

/** RFC 3339 with nanoseconds, in the zone of this process. */
function localTime(timeNs: bigint): string {
  const date = new Date(Number(timeNs / 1_000_000n))
  const offset = -date.getTimezoneOffset()
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, "2026-01-01T00:00:00".length)
  const minutes = Math.abs(offset)
  const zone =
    offset === 0 ? "Z" : `${offset < 0 ? "-" : "+"}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`
  return `${local}.${String(timeNs % 1_000_000_000n).padStart(9, "0")}${zone}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0")
}
