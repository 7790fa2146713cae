import { LABEL } from "../../../compose/compose.ts"
import type { Event } from "../../../event/event.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"

const OWN_LABELS = "com.docker.compose."

export default composeCommand({
  summary: "Receive real time events from containers",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    json: flag.bool("Output events as a stream of json objects"),
    since: flag.time("Show all events created since timestamp"),
    until: flag.time("Stream events until this timestamp"),
  },
  async run({ args: [services], flags, engine, out, compose }) {
    const name = await compose.name()
    using interrupt = new AbortOnInterrupt()
    const { since, until, json } = flags
    const filter = { types: ["container"], labels: [`${LABEL.project}=${name}`] }
    const query = { filter, signal: interrupt.signal, ...(since && { since }), ...(until && { until }) }
    await using events = (await engine.events()).watch(query)
    for await (const event of events) {
      const { attributes } = event.actor
      const service = attributes[LABEL.service] ?? ""
      if (attributes[LABEL.oneOff] === "True" || (services.length > 0 && !services.includes(service))) continue
      out.line(json ? jsonLine(event, service) : plainLine(event))
    }
  },
})

/** What compose itself writes on containers is left out. */
function attributesOf({ actor }: Event): [string, string][] {
  return Object.entries(actor.attributes)
    .filter(([name]) => !name.startsWith(OWN_LABELS))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Docker's, keys by the alphabet. */
function jsonLine(event: Event, service: string): string {
  const { action, actor, timeNs } = event
  const attributes = Object.fromEntries(attributesOf(event))
  const time = localTime(timeNs)
  return JSON.stringify({
    action,
    attributes,
    id: actor.id,
    service,
    time: `${time.date}T${time.clock}${time.fraction}${time.zone}`,
    type: "container",
  })
}

/** `2026-11-29 05:55:41.652547 container kill 4f0… (image=nginx, name=p-web-1)`. */
function plainLine(event: Event): string {
  const { action, actor, timeNs } = event
  const attributes = attributesOf(event).map(([name, value]) => `${name}=${value}`)
  const { date, clock, fraction } = localTime(timeNs)
  return `${date} ${clock}${fraction.slice(0, ".000000".length)} container ${action} ${actor.id} (${attributes.join(", ")})`
}

/** Of this process's zone. */
function localTime(timeNs: bigint): { date: string; clock: string; fraction: string; zone: string } {
  const at = new Date(Number(timeNs / 1_000_000n))
  const minutes = -at.getTimezoneOffset()
  const [date = "", clock = ""] = new Date(at.getTime() + minutes * 60_000).toISOString().slice(0, 19).split("T")
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((part) =>
    String(part).padStart(2, "0"),
  )
  const zone = minutes === 0 ? "Z" : `${minutes < 0 ? "-" : "+"}${hours}:${rest}`
  return { date, clock, fraction: `.${String(timeNs % 1_000_000_000n).padStart(9, "0")}`, zone }
}
