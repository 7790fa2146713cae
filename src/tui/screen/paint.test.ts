import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { ScreenModel } from "../../../test/support/screen-model.ts"
import { Frame } from "./frame.ts"
import { fitted, shownWidth } from "./glyphs.ts"
import { paint } from "./paint.ts"
import { style } from "./style.ts"

const ROWS = 4
const COLUMNS = 12

function frame(lines: readonly string[], look = 0): Frame {
  const made = new Frame(ROWS, COLUMNS)
  for (const [row, line] of lines.entries()) made.write(row, 0, line, look)
  return made
}

function shown(frames: readonly Frame[], hasColour = true): ScreenModel {
  const model = new ScreenModel(ROWS, COLUMNS)
  model.feed("\x1b[?1049h")
  let before: Frame | undefined
  for (const next of frames) {
    model.feed(paint(before, next, hasColour))
    before = next
  }
  return model
}

const texts = fc.array(
  fc.string({
    unit: fc.constantFrom("a", "b", " ", "漢", "é", "e\u0301", "😀", "👩‍👩‍👧", "\x1b", "\n", "\u202e", "\u200b"),
  }),
  { maxLength: ROWS },
)

describe("paint()", () => {
  test("after any change the terminal shows the frame, and has obeyed nothing else", () => {
    fc.assert(
      fc.property(texts, texts, texts, (...all) => {
        const frames = all.map((lines, index) => frame(lines, index))
        const model = shown(frames)
        expect(model.unknown).toEqual([])
        const last = frames.at(-1)
        expect(model.text).toBe(Array.from({ length: ROWS }, (_, row) => last?.line(row).trimEnd()).join("\n"))
      }),
    )
  })

  test("nothing is written for nothing new, and little for little", () => {
    expect(paint(frame(["abc"]), frame(["abc"]), true)).toBe("")
    expect(paint(frame(["abcdef"]), frame(["abXdef"]), true)).toBe("\x1b[1;3HX")
  })

  test("looks reach the terminal; colours do not where there are none", () => {
    const look = style({ colour: "green", bold: true })
    expect(shown([frame(["abc"], look)]).lookOf("abc")).toBe("1;32")
    expect(shown([frame(["abc"], look)], false).lookOf("abc")).toBe("1")
  })

  test("the cursor is where the frame has it, and nowhere to be seen without", () => {
    const made = frame(["abc"])
    made.cursor = { row: 1, column: 2 }
    expect(paint(frame(["abc"]), made, true)).toBe("\x1b[2;3H\x1b[?25h")
    expect(paint(made, frame(["abc"]), true)).toBe("\x1b[?25l")
  })
})

describe("glyphs", () => {
  test.each([
    ["a\x1b[31mb", "a\\x1b[31mb"],
    ["x\u009b2Jy", "x\\x9b2Jy"],
    ["a\nb\tc", "a\\x0ab\\x09c"],
    ["evil\u202etxt", "evil\\u{202e}txt"],
    ["zero\u200bwidth", "zero\\u{200b}width"],
    ["\ud800", "\ufffd"],
  ])("%j is shown as %j", (text, expected) => {
    const made = new Frame(1, 40)
    made.write(0, 0, text)
    expect(made.line(0).trimEnd()).toBe(expected)
  })

  test("text is cut at cells, and no wide character in two", () => {
    expect(fitted("漢漢漢", 5)).toBe("漢漢…")
    expect(fitted("abcdef", 4)).toBe("abc…")
    expect(fitted("abc", 3)).toBe("abc")
    expect(fitted("漢漢", 4)).toBe("漢漢")
    expect(shownWidth("漢e\u0301a")).toBe(4)
  })

  test("a heap of marks on one character is cut", () => {
    const made = new Frame(1, 4)
    made.write(0, 0, `a${"\u0301".repeat(500)}b`)
    expect(made.glyphs[0]?.length).toBeLessThanOrEqual(16)
    expect(made.glyphs[1]).toBe("b")
  })
})
