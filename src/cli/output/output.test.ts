import { describe, expect, test } from "bun:test"
import type { Container, ContainerState } from "../../container/container.ts"
import type { PortMapping } from "../../spec/docker/port-mapping.ts"
import type { Out } from "../out.ts"
import { printable } from "../../base/printable.ts"
import { formatMoment, formatSpan } from "../../docker/ages.ts"
import { ellipsis } from "../../docker/ellipsis.ts"
import { alignColumns, displayWidth } from "./columns.ts"
import { describeStatus } from "../../docker/container-row.ts"
import { printDocuments } from "./document.ts"
import { printList } from "./list.ts"
import { formatPorts } from "../../docker/port-text.ts"
import { progressLine } from "./pull-progress.ts"

/** What was printed, instead of a terminal. */
function collected(): { out: Out; text: () => string } {
  const lines: string[] = []
  const out = { line: (text: string) => lines.push(text), json: (value: unknown) => lines.push(JSON.stringify(value)) }
  return { out: out as unknown as Out, text: () => lines.join("\n") }
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

test.each([
  [0, "Less than a second"],
  [SECOND, "1 second"],
  [59 * SECOND, "59 seconds"],
  [MINUTE, "About a minute"],
  [2 * MINUTE, "2 minutes"],
  [HOUR, "About an hour"],
  [2 * HOUR, "2 hours"],
  [2 * DAY, "2 days"],
  [15 * DAY, "2 weeks"],
  [70 * DAY, "2 months"],
  [800 * DAY, "2 years"],
])("formatSpan(%d) is %s", (ms, text) => expect(formatSpan(ms)).toBe(text))

test("formatMoment() has date, time and zone", () => {
  expect(formatMoment(new Date(2026, 10, 21, 9, 5, 4))).toMatch(/^2026-11-21 09:05:04 [+-]\d{4} \S+$/)
})

test("alignColumns() spaces as docker's tables do", () => {
  expect(alignColumns(["CONTAINER ID\tIMAGE\tNAMES", "0123456789ab\tbusybox\tweb"])).toEqual([
    "CONTAINER ID   IMAGE     NAMES",
    "0123456789ab   busybox   web",
  ])
})

test("displayWidth() counts wide characters twice and marks not at all", () => {
  expect([displayWidth("abc"), displayWidth("日本"), displayWidth("é"), displayWidth("e\u0301")]).toEqual([3, 4, 1, 1])
  expect(ellipsis("abcdef", 4)).toBe("abc…")
})

test("printable() shows control characters, escapes and direction marks as codes", () => {
  expect(printable("a\tb\n\x1b]52;c;x\x07\x9b31m\u202eevil\r")).toBe("a\tb\n\\x1b]52;c;x\\x07\\x9b31m\\u202eevil\\x0d")
})

describe("describeStatus()", () => {
  const now = new Date("2026-11-21T12:00:00Z")
  const ago = (ms: number) => new Date(now.getTime() - ms)
  const cases: [object, string][] = [
    [{ status: "created" }, "Created"],
    [{ status: "running", startedAt: ago(3 * SECOND) }, "Up 3 seconds"],
    [{ status: "paused", startedAt: ago(2 * MINUTE) }, "Up 2 minutes (Paused)"],
    [{ status: "exited", exitCode: 137, finishedAt: ago(2 * HOUR) }, "Exited (137) 2 hours ago"],
    [{ status: "restarting", exitCode: 1, finishedAt: ago(5 * SECOND) }, "Restarting (1) 5 seconds ago"],
    [{ status: "removing" }, "Removal In Progress"],
  ]
  test.each(cases)("%p", (state, text) => {
    expect(describeStatus({ state: state as ContainerState } as Container, now)).toBe(text)
  })
})

function tcp(hostPort: number, containerPort: number, hostAddress?: string): PortMapping {
  return { protocol: "tcp", hostPort, containerPort, ...(hostAddress === undefined ? {} : { hostAddress }) }
}

test("formatPorts() joins runs of ports that are the same on both sides", () => {
  expect(formatPorts([tcp(8080, 80)])).toBe("0.0.0.0:8080->80/tcp")
  expect(formatPorts([tcp(81, 81), tcp(80, 80), tcp(82, 82), tcp(443, 443)])).toBe(
    "0.0.0.0:80-82->80-82/tcp, 0.0.0.0:443->443/tcp",
  )
  expect(formatPorts([tcp(8080, 80), tcp(90, 90, "127.0.0.1"), tcp(91, 91, "::1")])).toBe(
    "127.0.0.1:90->90/tcp, [::1]:91->91/tcp, 0.0.0.0:8080->80/tcp",
  )
  expect(formatPorts([{ protocol: "udp", containerPort: 53 }])).toBe("53/udp")
})

describe("printList()", () => {
  const format = { titles: { ID: "IMAGE ID", Name: "NAME" }, table: "table {{.ID}}\t{{.Name}}", quiet: "{{.ID}}" }
  const rows = [
    { ID: "1", Name: "one\tand\na half" },
    { ID: "2", Name: "two" },
  ]
  const print = (flags: object) => {
    const { out, text } = collected()
    printList(out, rows, flags, format)
    return text()
  }
  test("prints docker's table, whatever the cells hold", () => {
    expect(print({})).toBe("IMAGE ID   NAME\n1          one and a half\n2          two")
    expect(print({ format: "table {{.Name}}\\t{{.ID}}" })).toStartWith("NAME             IMAGE ID\n")
    expect(print({ format: "table {{.ID | lower}}" })).toStartWith("image id\n")
  })
  test("prints ids, templates and JSON", () => {
    expect(print({ quiet: true })).toBe("1\n2")
    expect(print({ format: "{{.ID}}\\t{{.Name}}" })).toEndWith("2\ttwo")
    expect(print({ format: "json" })).toEndWith('{"ID":"2","Name":"two"}')
    expect(JSON.parse(print({ json: true }))).toEqual(rows)
  })
})

test("printDocuments() knows which of docker's objects are maps", () => {
  const { out, text } = collected()
  const document = {
    Config: { Labels: { a: "1" }, Image: "x" },
    NetworkSettings: { Networks: { bridge: { IPAddress: "1.2.3.4" } } },
  }
  printDocuments(out, [document], "{{.Config.Labels.b}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
  expect(text()).toBe("<no value> 1.2.3.4")
  expect(() => printDocuments(out, [document], "{{.Config.Imgae}}")).toThrow("can't evaluate field Imgae")
})

test("progressLine() draws a bar that fits the terminal", () => {
  const event = { id: "3e1a2b", stage: "downloading" as const, current: 5e6, total: 1e7 }
  expect(progressLine(event, "Downloading", 100)).toBe(
    `3e1a2b: Downloading [${"=".repeat(25)}>${" ".repeat(24)}]  5MB/10MB`,
  )
  for (const width of [79, 60, 40, 20, 5])
    expect(progressLine(event, "Downloading", width).length).toBeLessThanOrEqual(width)
  expect(progressLine({ id: "a", stage: "extracting", current: 5, total: 0 }, "Extracting", 80)).toBe(
    "a: Extracting  5B",
  )
  expect(progressLine({ id: "\x1b[2J", stage: "waiting" }, "Waiting", 80)).toBe("\\x1b[2J: Waiting")
})
