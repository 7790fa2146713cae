import { printable } from "../../../base/printable.ts"
import { formatSize } from "../../../base/sizes.ts"
import { displayWidth, pad } from "../../output/columns.ts"
import type { Outcome, ProgressLine } from "./progress-line.ts"

/** A line of the display, and since when it is there. */
export interface TimedLine extends ProgressLine {
  startedMs: number
  /** Undefined while the work goes on. */
  endedMs: number | undefined
}

/** What a frame is drawn for. */
export interface FrameStyle {
  /** `Running`, in the first line. */
  title: string
  isDryRun: boolean
  columns: number
  /** Lines that it may take; undefined: as many as it has. */
  rows: number | undefined
  nowMs: number
  hasColour: boolean
}

export const DRY_RUN_PREFIX = " DRY-RUN MODE - "

const GREEN = "32"
const BLUE = "34"
const CYAN = "36"
const SPINNER = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"]
const SPINNER_MS = 100
/** How far a part is: docker's. */
const PARTS = ["⠀", "⡀", "⣀", "⣄", "⣤", "⣦", "⣶", "⣷", "⣿"]

const MARKS: Record<Exclude<Outcome, "working">, { mark: string; sgr: string }> = {
  done: { mark: "✔", sgr: GREEN },
  warning: { mark: "!", sgr: "33;1" },
  error: { mark: "✘", sgr: "31;1" },
}

/** All lines of one state of the display, each cut to the terminal's width; strangers' words are harmless in it. */
export function drawFrame(lines: readonly TimedLine[], style: FrameStyle): string[] {
  const done = lines.filter(({ outcome }) => outcome !== "working").length
  const heading = cut(`[+] ${style.title} ${done}/${lines.length}`, style.columns)
  const roots = lines.filter(({ parent }) => parent === undefined)
  const room = style.rows === undefined ? undefined : Math.max(1, style.rows - 1)
  const { shown, hidden } = fitting(roots, lines, room)
  const width = Math.max(0, ...shown.map((line) => displayWidth(bodyOf(line, style.isDryRun)) + indent(line)))
  const body = shown.map((line) => drawLine(line, partsOf(line, lines), width, style))
  const more = hidden > 0 ? [cut(` … ${hidden} more`, style.columns)] : []
  return [done === lines.length ? paint(style, BLUE, heading) : heading, ...body, ...more]
}

/** Parts are left out first, and at the end; then what has ended; what goes on and what failed is seen as long as there is room. */
function fitting(
  roots: readonly TimedLine[],
  all: readonly TimedLine[],
  room: number | undefined,
): { shown: readonly TimedLine[]; hidden: number } {
  const whole = roots.flatMap((root) => [root, ...all.filter(({ parent }) => parent === root.id)])
  if (room === undefined || roots.length > room)
    return room === undefined ? { shown: roots, hidden: 0 } : some(roots, room)
  return { shown: whole.length <= room ? whole : roots, hidden: 0 }
}

function some(roots: readonly TimedLine[], room: number): { shown: readonly TimedLine[]; hidden: number } {
  const count = Math.max(1, room - 1)
  const urgent = roots.filter(({ outcome }) => outcome !== "done").slice(0, count)
  const rest = roots.filter(({ outcome }) => outcome === "done").slice(urgent.length - count)
  const kept = new Set([...urgent, ...(urgent.length < count ? rest : [])])
  return { shown: roots.filter((line) => kept.has(line)), hidden: roots.length - kept.size }
}

/** Only work that goes on shows how far its parts are. */
function partsOf(line: TimedLine, all: readonly TimedLine[]): readonly TimedLine[] {
  return line.outcome === "working" ? all.filter(({ parent }) => parent === line.id) : []
}

function indent({ parent }: TimedLine): number {
  return parent === undefined ? 0 : 2
}

function bodyOf({ id, text }: TimedLine, isDryRun: boolean): string {
  return `${isDryRun ? DRY_RUN_PREFIX : ""}${printable(`${id} ${text}`)}`
}

/** ` ✔ Container p-a-1  Started      0.1s `: the mark, what it is, its state, and at the right edge how long it took. */
function drawLine(line: TimedLine, parts: readonly TimedLine[], width: number, style: FrameStyle): string {
  const { columns, nowMs, isDryRun } = style
  const timer = `${(((line.endedMs ?? nowMs) - line.startedMs) / 1000).toFixed(1)}s `
  const room = Math.max(0, columns - timer.length)
  const { mark, sgr } =
    line.outcome === "working"
      ? { mark: SPINNER[Math.floor((nowMs - line.startedMs) / SPINNER_MS) % SPINNER.length] ?? "", sgr: "33" }
      : MARKS[line.outcome]
  const margin = " ".repeat(indent(line))
  const prefix = isDryRun ? DRY_RUN_PREFIX : ""
  const body = `${printable(line.id)}${progressOf(parts)} ${printable(line.text)}`
  const pieces: [string, string | undefined][] = [
    [`${margin} `, undefined],
    [`${mark} `, sgr],
    [prefix, CYAN],
    [`${pad(body, width - displayWidth(prefix) - indent(line))} `, undefined],
    [firstLine(line.status), line.outcome === "working" ? undefined : sgr],
  ]
  return `${fit(pieces, room, style)}${paint(style, BLUE, timer)}`
}

/** Docker's: ` [⣿⣤⠀] 12.3MB / 45.6MB`. */
function progressOf(parts: readonly TimedLine[]): string {
  if (parts.length === 0) return ""
  const marks = parts.map(({ outcome, current, total }) => {
    const share = outcome === "working" ? (total > 0 ? Math.min(1, current / total) : 0) : 1
    return PARTS[Math.floor((PARTS.length - 1) * share)]
  })
  const current = parts.reduce((sum, part) => sum + part.current, 0)
  const total = parts.reduce((sum, part) => sum + part.total, 0)
  // where one part does not know its size yet, the sum would mislead
  const isKnown = total > 0 && parts.every((part) => part.total > 0 || part.outcome !== "working")
  return ` [${marks.join("")}]${isKnown ? ` ${formatSize(current).padStart(7)} / ${formatSize(total).padEnd(7)}` : ""}`
}

function firstLine(text: string): string {
  const [first = "", ...rest] = text.split("\n")
  return printable(rest.length > 0 ? `${first} …` : first)
}

/** Joined, cut and filled up to `room` columns; colours do not count. */
function fit(pieces: readonly [string, string | undefined][], room: number, style: FrameStyle): string {
  let left = room
  let line = ""
  for (const [text, sgr] of pieces) {
    const shown = cut(text, left)
    left -= displayWidth(shown)
    line += sgr === undefined || shown === "" ? shown : paint(style, sgr, shown)
  }
  return line + " ".repeat(left)
}

/** To `columns` of the terminal, with an ellipsis where something is lost. */
function cut(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  if (columns < 1) return ""
  let kept = ""
  let width = 0
  for (const character of text) {
    width += displayWidth(character)
    if (width > columns - 1) break
    kept += character
  }
  return `${kept}…`
}

function paint({ hasColour }: FrameStyle, sgr: string, text: string): string {
  return hasColour ? `\x1b[${sgr}m${text}\x1b[0m` : text
}
