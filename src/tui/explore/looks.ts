import type { Change } from "../../explore/explore.ts"
import type { Area, Frame } from "../screen/frame.ts"
import { fitted, shownWidth } from "../screen/glyphs.ts"
import { PLAIN, style, type Style } from "../screen/style.ts"

/** What things look like, by what they are. */
export const LOOKS = {
  head: style({ bold: true }),
  faint: style({ colour: "grey" }),
  error: style({ colour: "red", bold: true }),
  chosen: style({ reverse: true }),
  /** What is chosen in the view that keys do not go to. */
  chosenElsewhere: style({ underline: true }),
  key: style({ reverse: true, bold: true }),
  on: style({ colour: "magenta", bold: true }),
  below: style({ background: "cyan" }),
  changes: style({ background: "magenta" }),
} as const

const CHANGES: Readonly<Record<Change, Style>> = {
  added: style({ colour: "green" }),
  modified: style({ colour: "yellow" }),
  removed: style({ colour: "red" }),
  unmodified: PLAIN,
}
const CHOSEN: Readonly<Record<Change, Style>> = {
  added: style({ colour: "green", reverse: true }),
  modified: style({ colour: "yellow", reverse: true }),
  removed: style({ colour: "red", reverse: true }),
  unmodified: style({ reverse: true }),
}
/** Where there are no colours. */
export const MARKS: Readonly<Record<Change, string>> = { added: "+", modified: "~", removed: "-", unmodified: " " }

export function changeLook(change: Change, isChosen: boolean): Style {
  return (isChosen ? CHOSEN : CHANGES)[change]
}

/** The title of a view, with a line to its end; heavier where keys go to. */
export function drawTitle(frame: Frame, { row, column, columns }: Area, text: string, isFocused: boolean): void {
  const end = column + columns
  const [left, right, line] = isFocused ? ["┃ ● ", " ┣", "━"] : ["│ ", " ├", "─"]
  const title = fitted(text, Math.max(0, columns - 6))
  const after = frame.write(row, column, `${left}${title}${right}`, isFocused ? LOOKS.head : PLAIN, end)
  frame.write(row, after, line.repeat(Math.max(0, end - after)), isFocused ? LOOKS.head : PLAIN, end)
}

/** A label and what belongs to it, in as many lines as there is room for. Gives the row after. */
export function drawField(frame: Frame, area: Area, row: number, label: string, text: string, lines = 1): number {
  const end = area.column + area.columns
  if (row >= area.row + area.rows) return row
  const after = frame.write(row, area.column, `${label} `, LOOKS.head, end)
  if (lines === 1) {
    frame.write(row, after, fitted(text, end - after), PLAIN, end)
    return row + 1
  }
  return drawWrapped(frame, { ...area, row: row + 1, rows: Math.min(lines, area.row + area.rows - row - 1) }, text)
}

/** Text over several lines; the last is cut where it is not enough. Gives the row after. */
export function drawWrapped(frame: Frame, area: Area, text: string): number {
  let rest = text
  for (let row = area.row; row < area.row + area.rows; row++) {
    if (rest === "") return row
    const isLast = row === area.row + area.rows - 1
    const part = isLast ? fitted(rest, area.columns) : firstPart(rest, area.columns)
    frame.write(row, area.column, part, PLAIN, area.column + area.columns)
    rest = rest.slice(part.length).trimStart()
  }
  return area.row + area.rows
}

/** As much as fits into a line, up to a space where there is one near. */
function firstPart(text: string, columns: number): string {
  if (shownWidth(text.slice(0, columns * 4)) <= columns && text.length <= columns) return text
  let part = text.slice(0, columns)
  while (part.length > 1 && shownWidth(part) > columns) part = part.slice(0, -1)
  const space = part.lastIndexOf(" ")
  return space > columns / 2 && part.length < text.length ? part.slice(0, space) : part
}
