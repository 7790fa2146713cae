import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { InputDecoder } from "./decode-input.ts"
import type { InputEvent } from "./event.ts"

const bytes = (text: string) => Buffer.from(text, "utf8")

function decode(text: string): InputEvent[] {
  const decoder = new InputDecoder()
  return [...decoder.feed(bytes(text)), ...decoder.flush()]
}

const keysOf = (text: string) => decode(text).map((event) => (event.kind === "key" ? event.key : event))

describe("keys", () => {
  test.each([
    ["a", ["a"]],
    ["A é漢", ["A", "space", "é", "漢"]],
    ["\x01\x06\x0c\x1f\x00", ["ctrl+a", "ctrl+f", "ctrl+l", "ctrl+/", "ctrl+space"]],
    ["\t\r\x7f\x08\x1b", ["tab", "enter", "backspace", "ctrl+h", "esc"]],
    ["\x1b\x1b", ["esc", "esc"]],
    ["\x1b[A\x1bOB\x1b[1;5C\x1b[1;2D", ["up", "down", "ctrl+right", "shift+left"]],
    ["\x1b[5~\x1b[6~\x1b[H\x1b[4~\x1b[3;5~", ["pgup", "pgdn", "home", "end", "ctrl+delete"]],
    ["\x1bOP\x1b[15~\x1b[24~\x1b[[A", ["f1", "f5", "f12", "f1"]],
    ["\x1b[Z\x1bx\x1b\x06", ["shift+tab", "alt+x", "ctrl+alt+f"]],
    ["\x1b[109;5u\x1b[27u\x1b[97;2u\x1b[32u", ["ctrl+m", "esc", "A", "space"]],
    ["\x1b[27;5;109~\x1b[97;5:3u", ["ctrl+m"]],
    ["\x1b[5$\x1b[5^\x1b[a", ["shift+pgup", "ctrl+pgup", "shift+up"]],
    ["\x1b\x1b[A", ["alt+up"]],
    ["\x1bOp\x1bOM\x1bOj", ["0", "enter", "*"]],
  ] as const)("%j is %j", (text, expected) => {
    expect<unknown[]>(keysOf(text)).toEqual([...expected])
  })

  test("answers of the terminal are no keys", () => {
    expect(decode("\x1b[?1;2c\x1b]11;rgb:0/0/0\x07\x1bP1$r0m\x1b\\\x1b[?2026;2$y\x1b[I\x1b[?0u")).toEqual([])
  })

  test("what is no UTF-8 is the replacement character, and nothing after it is lost", () => {
    expect(
      new InputDecoder()
        .feed(Buffer.from([0xff, 0x61, 0xc3, 0x28, 0xe6, 0xbc]))
        .map((event) => event.kind === "key" && event.key),
    ).toEqual(["\ufffd", "a", "\ufffd", "("])
  })
})

describe("mouse", () => {
  test("clicks, releases and the wheel are told with their cell", () => {
    expect(decode("\x1b[<0;12;3M\x1b[<0;12;3m\x1b[<64;1;1M\x1b[<65;1;2M\x1b[<2;300;100M")).toEqual([
      { kind: "mouse", action: "press", button: 0, row: 2, column: 11 },
      { kind: "mouse", action: "release", button: 0, row: 2, column: 11 },
      { kind: "mouse", action: "wheel-up", row: 0, column: 0 },
      { kind: "mouse", action: "wheel-down", row: 1, column: 0 },
      { kind: "mouse", action: "press", button: 2, row: 99, column: 299 },
    ])
  })
})

describe("pieces", () => {
  const sample = "a\x1b[1;5Cé\x1b[<0;12;3M漢\x1bOA\x1b[200~pasted\x1b[A\ntext\x1b[201~z\x1b[5~\r"

  test("whatever the pieces are, the events are the same", () => {
    const whole = decode(sample)
    fc.assert(
      fc.property(fc.array(fc.nat(bytes(sample).length)), (cuts) => {
        const decoder = new InputDecoder()
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes(sample).length]
        const events = places.slice(1).flatMap((end, index) => decoder.feed(bytes(sample).subarray(places[index], end)))
        expect(events).toEqual(whole)
        expect(decoder.isWaiting).toBe(false)
      }),
    )
  })

  test("a lone ESC waits for what may follow", () => {
    const decoder = new InputDecoder()
    expect(decoder.feed(bytes("\x1b"))).toEqual([])
    expect(decoder.isWaiting).toBe(true)
    expect(decoder.flush()).toEqual([{ kind: "key", key: "esc" }])
    expect(decoder.isWaiting).toBe(false)
  })

  test("pasted text is one event, bounded, and its escapes are text", () => {
    const [event] = decode(`\x1b[200~${"x".repeat(300_000)}\x1b[201~`)
    expect(event?.kind === "paste" && event.text.length).toBe(65_536)
    expect(decode("\x1b[200~\x1b[A\x1b[201~")).toEqual([{ kind: "paste", text: "\x1b[A" }])
  })

  test("any bytes end in a decoder that has let go of them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        const decoder = new InputDecoder()
        decoder.feed(noise)
        decoder.flush()
        decoder.feed(bytes("\x1b[201~"))
        decoder.flush()
        const after = decoder.feed(bytes("\x07\x1b\\k"))
        expect(after.at(-1)).toMatchObject({ kind: "key", key: "k" })
      }),
    )
  })

  test("a flood of ESC is keys, and no deep recursion", () => {
    expect(decode("\x1b".repeat(100_000)).length).toBe(100_000)
  })
})
