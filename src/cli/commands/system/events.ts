import { eventDocument, eventLine } from "../../../docker/event.ts"
import type { Event, EventFilter } from "../../../event/event.ts"
import { parseTimestamp } from "../../../spec/docker/timestamp.ts"
import { command } from "../../command.ts"
import { parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { printList } from "../../output/list.ts"

const FILTERS = ["container", "event", "image", "label", "network", "type", "volume"] as const
const TITLES = Object.fromEntries(
  ["Type", "Action", "Actor", "Status", "ID", "From", "Scope", "Time", "TimeNano"].map((name) => [name, name]),
)

export default command({
  summary: "Get real time events",
  args: [],
  flags: {
    filter: flag.strings("Filter output based on conditions provided", "filter", { short: "f" }),
    format: flag.string(
      "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given\nGo template",
    ),
    since: flag.of(readTime, "Show all events created since timestamp", "string"),
    until: flag.of(readTime, "Stream events until this timestamp", "string"),
  },
  async run({ flags, engine, out }) {
    const { since, until, format } = flags
    const events = await engine.events()
    const query = { since, until, filter: eventFilter(flags.filter) }
    for await (const event of events.watch(query)) {
      if (format === undefined) out.line(eventLine(event))
      else
        printList(
          out,
          [format === "json" || format === "{{json .}}" ? eventDocument(event) : templateRow(event)],
          { format },
          { titles: TITLES, table: "", quiet: "" },
        )
    }
  },
})

function readTime(text: string): Date {
  return parseTimestamp(text, new Date())
}

function eventFilter(filters: readonly string[]): EventFilter {
  const { container, event, image, label, network, type, volume } = parseFilters(filters, FILTERS)
  return {
    types: type,
    actions: event,
    containers: container,
    images: image,
    labels: label,
    networks: network,
    volumes: volume,
  }
}

/** The names of Go's fields, which templates use. */
function templateRow(event: Event): object {
  const { status = "", id = "", from = "", scope, time, timeNano: _, ...rest } = eventDocument(event)
  return { ...rest, Status: status, ID: id, From: from, Scope: scope, Time: time, TimeNano: String(event.timeNs) }
}
