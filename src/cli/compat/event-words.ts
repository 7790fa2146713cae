import { eventDocument, eventLine } from "../../docker/event.ts"
import { hide } from "../../docker/hidden-fields.ts"
import type { Event } from "../../event/event.ts"

/** How one event is shown, in each of the forms. */
export interface ShownEvent {
  line(): string
  document(): object
  /** The names of Go's fields, which templates use. */
  row(): object
}

/** What a tool makes of events. */
export interface EventWords {
  /** None, one or several of its own. `statuses`: those that were asked for. */
  shown(event: Event, statuses: readonly string[] | undefined): ShownEvent[]
  /** Our actions among which those of its statuses are. */
  actions(statuses: readonly string[]): readonly string[]
}

/** Docker's. */
export const EVENT_WORDS: EventWords = {
  shown: (event) => [
    { line: () => eventLine(event), document: () => eventDocument(event), row: () => templateRow(event) },
  ],
  actions: (statuses) => statuses,
}

function templateRow(event: Event): object {
  const { status = "", id = "", from = "", scope, time, timeNano: _, ...rest } = eventDocument(event)
  const row = { ...rest, Status: status, ID: id, From: from, Scope: scope, Time: time, TimeNano: String(event.timeNs) }
  const { attributes } = event.actor
  const { name: Name = "", image: Image = "", ...labels } = attributes
  return hide(row, { Name, Image, Attributes: new Map(Object.entries(labels)) })
}
