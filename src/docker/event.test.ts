import { expect, test } from "bun:test"
import type { Event } from "../event/event.ts"
import { eventDocument, eventLine } from "./event.ts"

const event: Event = {
  id: 7,
  timeNs: 1_795_960_321_000_000_512n,
  type: "container",
  action: "die",
  actor: { id: "4f", attributes: { name: "web", image: "nginx", exitCode: "3" } },
}

test("an event is docker's message, with what old clients read", () => {
  const text = JSON.stringify(eventDocument(event))
  expect(text).toContain('"timeNano":1795960321000000512}')
  expect(JSON.parse(text)).toEqual({
    status: "die",
    id: "4f",
    from: "nginx",
    Type: "container",
    Action: "die",
    Actor: { ID: "4f", Attributes: { name: "web", image: "nginx", exitCode: "3" } },
    scope: "local",
    time: 1_795_960_321,
    timeNano: 1_795_960_321_000_000_512,
  })
  const { status, id, from } = eventDocument({ ...event, type: "network" })
  expect([status, id, from]).toEqual([undefined, undefined, undefined])
})

test("an event's line has local time to the nanosecond, and attributes by name", () => {
  const line = eventLine(event)
  expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000512(?:Z|[+-]\d\d:\d\d) container die 4f /)
  expect(line).toEndWith("(exitCode=3, image=nginx, name=web)")
  expect(Date.parse(line.split(" ")[0] ?? "")).toBe(1_795_960_321_000)
})
