import { shortId } from "../../../base/short-id.ts"
import type { Event, EventFilter } from "../../../event/event.ts"
import { command } from "../../command.ts"
import type { EventWords } from "../../compat/event-words.ts"
import { parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { printList } from "../../output/list.ts"
import { isWholeFormat } from "../../output/whole-format.ts"

const FILTERS = ["container", "event", "image", "label", "network", "status", "type", "volume"] as const
const titles = Object.fromEntries(
  ["Type", "Action", "Actor", "Status", "ID", "From", "Scope", "Time", "TimeNano"].map((name) => [name, name]),
)
const SHAPE = { titles, table: "", quiet: "" }

export default command({
  summary: "Get real time events",
  args: [],
  flags: {
    filter: flag.strings("Filter output based on conditions provided", "filter", { short: "f" }),
    format: flag.string(
      "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given\nGo template",
    ),
    noTrunc: flag.bool("Show whole ids", { initial: true }),
    since: flag.time("Show all events created since timestamp"),
    stream: flag.bool("Go on with what happens from now on", { initial: true }),
    until: flag.time("Stream events until this timestamp"),
  },
  async run({ flags, engine, out, dialect }) {
    const { since, format } = flags
    const words = await dialect.events()
    const isDocument = isWholeFormat(format)
    const statuses = statusesOf(flags.filter)
    // what was until now has an end, whatever it began with
    const until = flags.stream ? flags.until : (flags.until ?? new Date())
    const events = await engine.events()
    const query = {
      since: since ?? (flags.stream ? undefined : new Date(0)),
      until,
      filter: eventFilter(flags.filter, words),
    }
    for await (const found of events.watch(query)) {
      const event = flags.noTrunc ? found : withShortId(found)
      for (const one of words.shown(event, statuses)) {
        if (format === undefined) out.line(one.line())
        else printList(out, [isDocument ? one.document() : one.row()], { format }, SHAPE)
      }
    }
  },
})

/** Podman calls what happened a status, too. */
function statusesOf(filters: readonly string[]): readonly string[] | undefined {
  const { event, status } = parseFilters(filters, FILTERS)
  return event === undefined ? status : [...event, ...(status ?? [])]
}

function eventFilter(filters: readonly string[], { actions }: EventWords): EventFilter {
  const { container, image, label, network, type, volume } = parseFilters(filters, FILTERS)
  const event = statusesOf(filters)
  return {
    types: type,
    actions: event && actions(event),
    containers: container,
    images: image,
    labels: label,
    networks: network,
    volumes: volume,
  }
}

/** Names stay as they are. */
function withShortId(event: Event): Event {
  const { id } = event.actor
  return /^[0-9a-f]{64}$/.test(id) ? { ...event, actor: { ...event.actor, id: shortId(id) } } : event
}
