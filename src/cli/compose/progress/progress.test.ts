import { describe, expect, test } from "bun:test"
import type { ComposeEvent } from "../../../compose/compose.ts"
import { drawFrame, type TimedLine } from "./progress-frame.ts"
import { progressLine } from "./progress-line.ts"
import { progressPlace } from "./progress-mode.ts"

const onTerminal = () => true
const inPipe = () => false

describe("the mode of the display", () => {
  const auto = { ansi: "auto", progress: undefined } as const

  test("is a terminal's on a terminal and plain elsewhere, on standard error", () => {
    expect(progressPlace(auto, {}, onTerminal)).toEqual({ mode: "tty", fd: 2, hasColour: true })
    expect(progressPlace(auto, {}, inPipe)).toEqual({ mode: "plain", fd: 2, hasColour: false })
  })

  test("is told by the flag, then by the environment", () => {
    expect(progressPlace(auto, { COMPOSE_PROGRESS: "json" }, onTerminal).mode).toBe("json")
    expect(progressPlace({ ansi: "auto", progress: "quiet" }, { COMPOSE_PROGRESS: "json" }, onTerminal).mode).toBe(
      "quiet",
    )
    expect(progressPlace(auto, { COMPOSE_STATUS_STDOUT: "1" }, inPipe).fd).toBe(1)
    expect(progressPlace(auto, { COMPOSE_PROGRESS: "none" }, inPipe).mode).toBe("quiet")
  })

  test("is forced and forbidden by --ansi and COMPOSE_ANSI", () => {
    expect(progressPlace({ ansi: "always", progress: undefined }, {}, inPipe).mode).toBe("tty")
    expect(progressPlace(auto, { COMPOSE_ANSI: "never" }, onTerminal).mode).toBe("plain")
    expect(() => progressPlace({ ansi: "never", progress: "tty" }, {}, onTerminal)).toThrow("ANSI support is disabled")
    expect(() => progressPlace({ ansi: "always", progress: "plain" }, {}, onTerminal)).toThrow("ANSI support is forced")
    expect(() => progressPlace(auto, { COMPOSE_PROGRESS: "loud" }, inPipe)).toThrow(
      'unsupported --progress value "loud"',
    )
  })

  test("keeps its terminal and loses its colours by NO_COLOR", () => {
    expect(progressPlace(auto, { NO_COLOR: "1" }, onTerminal)).toEqual({ mode: "tty", fd: 2, hasColour: false })
  })
})

describe("the words of an event", () => {
  const cases: [ComposeEvent, string, string][] = [
    [{ kind: "container", name: "p-a-1", state: "Created" }, "Container p-a-1  Created", "done"],
    [{ kind: "network", name: "p_default", state: "Creating" }, "Network p_default  Creating", "working"],
    [{ kind: "container", name: "p-a-1", state: "Running" }, "Container p-a-1  Running", "done"],
    [{ kind: "container", name: "p-a-1", state: "Recreate" }, "Container p-a-1  Recreate", "working"],
    [{ kind: "service", name: "web", state: "Pulling" }, "web Pulling ", "working"],
    [{ kind: "service", name: "web", state: "Built" }, "web  Built", "done"],
    [
      { kind: "service", name: "web", state: "Skipped", detail: "No image to be pulled" },
      "web Skipped - No image to be pulled ",
      "done",
    ],
    [
      { kind: "network", name: "n", state: "Warning", detail: "Resource is still in use" },
      "Network n  Resource is still in use",
      "warning",
    ],
    [{ kind: "container", name: "p-a-1", state: "Error", detail: "no" }, "Container p-a-1  Error no", "error"],
    [
      { kind: "image", name: "3e1a", parent: "web", state: "Pulling", detail: "Downloading" },
      "3e1a Downloading ",
      "working",
    ],
  ]
  test.each(cases)("of %j are docker's", (event, words, outcome) => {
    const { id, text, status, outcome: found } = progressLine(event)
    expect(`${id} ${text} ${status}`).toBe(words)
    expect(found as string).toBe(outcome)
  })
})

const line = (event: ComposeEvent, endedMs?: number): TimedLine => ({
  ...progressLine(event),
  startedMs: 1000,
  endedMs,
})

const started = (name: string) => line({ kind: "container", name, state: "Started" }, 1100)
const starting = (name: string) => line({ kind: "container", name, state: "Starting" })

describe("a frame of the display", () => {
  const style = { title: "Running", isDryRun: false, columns: 60, rows: undefined, nowMs: 1100, hasColour: false }

  test("counts what has ended, and gives each its mark, state and time at the right edge", () => {
    expect(drawFrame([started("p-a-1"), starting("p-longer-1")], style)).toEqual([
      "[+] Running 1/2",
      " ✔ Container p-a-1       Started                       0.1s ",
      " ⠙ Container p-longer-1  Starting                      0.1s ",
    ])
  })

  test("is never wider than the terminal, whatever names and colours there are", () => {
    const names = ["p-a-1", `p-${"x".repeat(90)}-1`, "日本語の名前とても長い名前日本語の名前とても長い名前日本語の名前"]
    for (const columns of [1, 5, 12, 40, 80])
      for (const hasColour of [true, false])
        for (const drawn of drawFrame(names.map(started), { ...style, columns, hasColour })) {
          // oxlint-disable-next-line no-control-regex
          const plain = drawn.replaceAll(/\x1b\[[0-9;]*m/g, "")
          const width = [...plain].reduce((sum, c) => sum + (c.charCodeAt(0) >= 0x3000 ? 2 : 1), 0)
          expect(width).toBeLessThanOrEqual(Math.max(columns, 5))
        }
  })

  test("takes no more lines than there are, and keeps what goes on in sight", () => {
    const lines = [...Array.from({ length: 30 }, (_, index) => started(`p-a-${index}`)), starting("p-b-1")]
    const drawn = drawFrame(lines, { ...style, rows: 10 })
    expect(drawn).toHaveLength(10)
    expect(drawn.join("\n")).toContain("Starting")
    expect(drawn.at(-1)).toBe(" … 23 more")
  })

  test("shows how far the parts of a pull are", () => {
    const parent = line({ kind: "service", name: "web", state: "Pulling" })
    const part = (name: string, current: number, total: number) =>
      line({ kind: "image", name, parent: "web", state: "Pulling", detail: "Downloading", current, total })
    const drawn = drawFrame([parent, part("aa", 5_000_000, 10_000_000), part("bb", 0, 10_000_000)], {
      ...style,
      rows: 20,
    })
    expect(drawn[1]).toContain("web [⣤⠀]     5MB / 20MB    Pulling")
    expect(drawn[2]).toContain("aa Downloading")
  })

  test("makes a stranger's words harmless", () => {
    const drawn = drawFrame([started("p-\x1b[2Jx-1")], style)
    expect(drawn.join("")).not.toContain("\x1b[2J")
  })
})
