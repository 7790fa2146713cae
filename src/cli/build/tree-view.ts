import { displayWidth } from "../output/columns.ts"
import { safeLine } from "./log-lines.ts"
import { seconds, progressText } from "./step-text.ts"
import { hasEnded, type Step, type Steps } from "./steps.ts"

/** Of the terminal, in characters. */
export interface TreeSize {
  columns: number
  rows: number
}

/** A line of the tree, painted as BuildKit's. */
export interface TreeLine {
  text: string
  /** An SGR number, as BuildKit paints: done is blue, failed red, canceled yellow. */
  colour?: number
}

const LOG_LINES = 6
const FAILED_COLOUR = 31
const CANCELED_COLOUR = 33
const DONE_COLOUR = 34

/** The whole tree, as it stays when the build is over. */
export function finalTree(steps: Steps, now: number, columns: number): TreeLine[] {
  return [
    header(steps, now, columns, true),
    ...steps.all.filter(isShown).flatMap((step) => stepLines(step, now, columns, true)),
  ]
}

/** As much of the tree as `rows` hold: what is at work before what has ended, the later of those before the earlier. */
export function runningTree(steps: Steps, now: number, { columns, rows }: TreeSize): TreeLine[] {
  const shown = steps.all.filter(isShown)
  const lines = new Map(shown.map((step) => [step, stepLines(step, now, columns, false)]))
  const kept = new Set<Step>()
  let room = rows - 1
  for (const step of [...shown.filter((one) => !hasEnded(one)), ...shown.filter(hasEnded).toReversed()]) {
    const own = lines.get(step) ?? []
    // rather the step alone than not at all
    if (own.length > room) lines.set(step, own.slice(0, room))
    if (room <= 0) break
    room -= Math.min(own.length, room)
    kept.add(step)
  }
  return [
    header(steps, now, columns, false),
    ...shown.filter((step) => kept.has(step)).flatMap((step) => lines.get(step) ?? []),
  ]
}

function isShown({ state }: Step): boolean {
  return state !== "waiting"
}

function header(steps: Steps, now: number, columns: number, over: boolean): TreeLine {
  const all = steps.all
  const ended = all.filter(hasEnded).length
  const time = seconds(now - (steps.startedAt ?? now), 1)
  const finished = over && steps.failed === undefined ? " FINISHED" : ""
  return {
    text: cut(`[+] Building ${time}s (${ended}/${all.length})${finished}`, columns),
    ...(finished ? { colour: DONE_COLOUR } : {}),
  }
}

function stepLines(step: Step, now: number, columns: number, over: boolean): TreeLine[] {
  const { state, startedAt = now, endedAt = now } = step
  const mark = { cached: "CACHED ", failed: "ERROR ", canceled: "CANCELED ", waiting: "", running: "", done: "" }[state]
  const time = `${seconds(endedAt - startedAt, 1)}s`
  const colour = {
    cached: DONE_COLOUR,
    done: DONE_COLOUR,
    failed: FAILED_COLOUR,
    canceled: CANCELED_COLOUR,
    waiting: 0,
    running: 0,
  }[state]
  const lines: TreeLine[] = [
    { text: timed(` => ${mark}${safeLine(step.name)}`, time, columns), ...(colour > 0 ? { colour } : {}) },
  ]
  for (const event of step.progress.values())
    lines.push({ text: cut(` => => ${safeLine(progressText(event))}`, columns), ...(colour > 0 ? { colour } : {}) })
  if (state === "running" && !over)
    for (const { text } of step.log.last(LOG_LINES)) lines.push({ text: cut(` => => # ${safeLine(text)}`, columns) })
  return lines
}

/** The text, cut to leave room for the time at the right edge. */
function timed(text: string, time: string, columns: number): string {
  const width = Math.max(1, columns - time.length - 1)
  const shown = cut(text, width)
  return `${shown}${" ".repeat(Math.max(1, columns - displayWidth(shown) - time.length))}${time}`
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let shown = ""
  let taken = 0
  for (const character of text) {
    taken += displayWidth(character)
    if (taken > width) break
    shown += character
  }
  return shown
}
