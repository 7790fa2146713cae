import { describe, expect, test } from "bun:test"
import type { BuildEvent } from "../../build/build.ts"
import { displayWidth } from "../output/columns.ts"
import { LogLines, safeLine } from "./log-lines.ts"
import { JsonProgress, RawJsonProgress } from "./progress-json.ts"
import { PlainProgress } from "./progress-plain.ts"
import { Steps } from "./steps.ts"
import { failureLines } from "./summary.ts"
import { finalTree, runningTree } from "./tree-view.ts"

const START = 1_700_000_000_000
const utf8 = (text: string) => new TextEncoder().encode(text)
const log = (vertex: number, text: string): BuildEvent => ({ kind: "log", vertex, stream: "stdout", bytes: utf8(text) })

/** As the solver tells a build of two stages whose last step fails. */
const FAILING: readonly BuildEvent[] = [
  { kind: "vertex", vertex: 1, name: "[1/3] FROM docker.io/library/busybox" },
  { kind: "vertex", vertex: 2, name: "[2/3] RUN make", source: { start: 2, end: 2 } },
  { kind: "vertex", vertex: 3, name: "[3/3] RUN false", source: { start: 3, end: 3 } },
  { kind: "vertex", vertex: 4, name: "[other 1/1] COPY . ." },
  { kind: "cached", vertex: 1, at: START },
  { kind: "started", vertex: 2, at: START },
  { kind: "started", vertex: 4, at: START },
  { kind: "progress", vertex: 4, id: "https://x/y", stage: "downloading", current: 2_500_000 },
  log(2, "compi"),
  log(2, "ling\nlinking\n"),
  { kind: "done", vertex: 2, at: START + 1_200 },
  { kind: "started", vertex: 3, at: START + 1_200 },
  log(3, "no such luck"),
  { kind: "failed", vertex: 3, at: START + 1_500, error: "exit code: 1" },
  { kind: "canceled", vertex: 4, at: START + 1_500 },
]

function plain(events: readonly BuildEvent[], toTerminal = false): string {
  let text = ""
  const progress = new PlainProgress((part) => (text += part), toTerminal)
  for (const event of events) progress.onEvent(event)
  progress[Symbol.dispose]()
  return text.replaceAll(/^(#\d+) \d+\.\d{3} /gm, "$1 T ")
}

function told(events: readonly BuildEvent[]): Steps {
  const steps = new Steps()
  for (const event of events) if ("vertex" in event) steps.apply(event)
  return steps
}

describe("plain progress", () => {
  test("is BuildKit's, each step numbered as it shows up", () => {
    expect(plain(FAILING)).toBe(
      [
        "#1 [1/3] FROM docker.io/library/busybox",
        "#1 CACHED",
        "",
        "#2 [2/3] RUN make",
        "#2 T compiling",
        "#2 T linking",
        "#2 DONE 1.2s",
        "",
        "#3 [other 1/1] COPY . .",
        "#3 Downloading 2.5MB",
        "#3 CANCELED",
        "",
        "#4 [3/3] RUN false",
        "#4 T no such luck",
        "#4 ERROR: exit code: 1",
        "",
      ].join("\n"),
    )
  })

  test("one step keeps the word; what another says waits for its end", () => {
    const both: BuildEvent[] = [1, 2].flatMap((vertex) => [
      { kind: "vertex", vertex, name: `step ${vertex}` },
      { kind: "started", vertex, at: START },
    ])
    for (let round = 0; round < 3; round++) both.push(log(1, `a${round}\n`), log(2, `b${round}\n`))
    both.push({ kind: "done", vertex: 1, at: START }, { kind: "done", vertex: 2, at: START })
    expect(plain(both)).toBe(
      [
        "#1 step 1",
        "#1 T a0",
        "#1 T a1",
        "#1 T a2",
        "#1 DONE 0.0s",
        "",
        "#2 step 2",
        "#2 T b0",
        "#2 T b1",
        "#2 T b2",
        "#2 DONE 0.0s",
        "",
      ].join("\n"),
    )
  })

  test("a pipe gets output as it is, a terminal gets it harmless", () => {
    const hostile = log(2, "\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m\n")
    const events: BuildEvent[] = [
      { kind: "vertex", vertex: 2, name: "evil \x1b[2Jname" },
      { kind: "started", vertex: 2, at: START },
      hostile,
    ]
    expect(plain(events)).toContain("\x1b]0;title")
    expect(plain(events, true)).not.toContain("\x1b")
    expect(plain(events, true)).toContain("\\x1b]0;title\\x07\\x1b[2Jred")
  })
})

const texts = (events: readonly BuildEvent[], rows = 30, columns = 60) =>
  runningTree(told(events), START + 3_200, { rows, columns }).map(({ text }) => text)

describe("the tree", () => {
  test("shows steps with times, the last output of those at work, what was cached", () => {
    expect(texts(FAILING.slice(0, 13))).toEqual([
      "[+] Building 3.2s (2/4)",
      ` => CACHED [1/3] FROM docker.io/library/busybox${" ".repeat(60 - 4 - 47)}0.0s`,
      ` => [2/3] RUN make${" ".repeat(60 - 4 - 18)}1.2s`,
      ` => [3/3] RUN false${" ".repeat(60 - 4 - 19)}2.0s`,
      ` => [other 1/1] COPY . .${" ".repeat(60 - 4 - 24)}3.2s`,
      " => => Downloading 2.5MB",
    ])
    expect(texts(FAILING.slice(0, 10))).toContain(" => => # linking")
  })

  test("the end names what failed and what was canceled, and keeps no output", () => {
    const lines = finalTree(told(FAILING), START + 1_500, 60)
    expect(lines.map(({ text }) => text.replace(/ +\S+$/, ""))).toEqual([
      "[+] Building 1.5s",
      " => CACHED [1/3] FROM docker.io/library/busybox",
      " => [2/3] RUN make",
      " => ERROR [3/3] RUN false",
      " => CANCELED [other 1/1] COPY . .",
      " => => Downloading",
    ])
    expect(lines.map(({ colour }) => colour)).toEqual([undefined, 34, 34, 31, 33, 33])
  })

  test("a small screen shows what is at work", () => {
    const lines = texts(FAILING.slice(0, 9), 3)
    expect(lines).toHaveLength(3)
    expect(lines[1]).toStartWith(" => [2/3] RUN make")
  })

  test("no line is wider than the screen, whatever its characters", () => {
    const wide: BuildEvent[] = [
      { kind: "vertex", vertex: 1, name: `RUN echo ${"漢字".repeat(200)}` },
      { kind: "started", vertex: 1, at: START },
      log(1, `${"\t漢x\x1b[5A".repeat(300)}\n`),
      { kind: "progress", vertex: 1, id: "i", stage: "naming", subject: "🚀".repeat(99), current: 1, total: 2 },
    ]
    for (const columns of [20, 41, 80])
      for (const line of texts(wide, 30, columns)) {
        expect(displayWidth(line)).toBeLessThanOrEqual(columns)
        expect(line).not.toContain("\x1b")
      }
  })
})

test("a failure shows the step's last output in BuildKit's frame", () => {
  const { failed } = told(FAILING)
  expect(failed && failureLines(failed).map((line) => line.replace(/^\d\S+ /, "T "))).toEqual([
    "------",
    " > [3/3] RUN false:",
    expect.stringMatching(/ no such luck$/) as unknown as string,
    "------",
  ])
})

describe("output of a step", () => {
  test("keeps characters whole that came in two pieces, and streams apart", () => {
    const lines = new LogLines()
    const bytes = utf8("grün\n")
    lines.write("stdout", bytes.subarray(0, 3))
    lines.write("stderr", utf8("err\n"))
    lines.write("stdout", bytes.subarray(3))
    lines.end()
    expect(lines.last(9).map(({ text }) => text)).toEqual(["err", "grün"])
  })

  test("without any newline takes no endless memory", () => {
    const lines = new LogLines()
    const chunk = utf8("x".repeat(1 << 20))
    for (let round = 0; round < 20; round++) lines.write("stdout", chunk)
    expect(lines.last(Infinity).length).toBeLessThanOrEqual(30)
  })

  test.each([
    ["10%\r20%\r30%", "30%"],
    ["done\r", "done"],
    ["\x1b[1;32mgreen\x1b[0m", "green"],
    ["\x1b[1A\x1b[2Kup", "\\x1b[1Aup"],
    ["\u202eevil", "\\u202eevil"],
    ["\u009b2J", "\\x9b2J"],
  ])("%j is shown as %j", (text, shown) => {
    expect(safeLine(text)).toBe(shown)
  })
})

const written = (make: (write: (text: string) => void) => { onEvent(event: BuildEvent): void }) => {
  let text = ""
  const progress = make((part) => (text += part))
  for (const event of FAILING) progress.onEvent(event)
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe("for programs", () => {
  test("json has one event a line", () => {
    const lines = written((write) => new JsonProgress(write))
    expect(lines).toHaveLength(FAILING.length)
    expect(lines).toContainEqual({ kind: "log", vertex: 2, stream: "stdout", text: "ling\nlinking\n" })
  })

  test("rawjson has BuildKit's documents", () => {
    const lines = written((write) => new RawJsonProgress(write))
    const digest = `sha256:${"3".padStart(64, "0")}`
    expect(lines).toContainEqual({
      vertexes: [
        {
          digest,
          name: "[3/3] RUN false",
          started: new Date(START + 1_200).toISOString(),
          completed: new Date(START + 1_500).toISOString(),
          error: "exit code: 1",
        },
      ],
    })
    expect(lines.some((line) => JSON.stringify(line).includes(Buffer.from("no such luck").toString("base64")))).toBe(
      true,
    )
  })
})
