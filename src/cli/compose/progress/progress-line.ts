import type { ComposeEvent } from "../../../compose/compose.ts"
import { stageWords } from "../../output/stage-words.ts"

/** Whether the work of a line goes on, and how it ended. */
export type Outcome = "working" | "done" | "warning" | "error"

/** One event as docker's display words it: `Container p-a-1`, `Pulling` after one blank or `Started` after two. */
export interface ProgressLine {
  id: string
  /** Id of the line below which this one stands. */
  parent: string | undefined
  /** Beside the id: what images and layers are at. */
  text: string
  /** In a column of its own: what containers, networks and volumes are at. */
  status: string
  outcome: Outcome
  current: number
  total: number
}

/** Docker's words for the kinds of things; services, providers and layers stand with their name alone. */
const KIND_WORDS: Partial<Record<ComposeEvent["kind"], string>> = {
  container: "Container",
  network: "Network",
  volume: "Volume",
  image: "Image",
  model: "Model",
}

/** States that docker has in the text and not in the column beside it. */
const TRANSFERS: ReadonlySet<string> = new Set(["Pulling", "Pulled", "Pushing", "Pushed"])

/** The words for an event. */
export function progressLine(event: ComposeEvent): ProgressLine {
  const { parent, current = 0, total = 0 } = event
  return { id: idOf(event), parent, ...wordsOf(event), outcome: outcomeOf(event), current, total }
}

function idOf({ kind, name, parent }: ComposeEvent): string {
  const word = parent === undefined ? KIND_WORDS[kind] : undefined
  return word === undefined ? name : `${word} ${name}`
}

function wordsOf(event: ComposeEvent): { text: string; status: string } {
  const { state, detail } = event
  const extra = detail === undefined ? "" : ` ${detail}`
  // a layer: `Downloading`, `Pull complete`
  if (event.parent !== undefined)
    return { text: event.progress === undefined ? (detail ?? state) : stageWords(event.progress), status: "" }
  if (state === "Skipped" && isTransfer(event))
    return { text: detail === undefined ? state : `${state} - ${detail}`, status: "" }
  if (state === "Skipped") return { text: "", status: detail === undefined ? state : `${state}: ${detail}` }
  if (state === "Warning") return { text: "", status: detail ?? state }
  if (TRANSFERS.has(state)) return { text: `${state}${extra}`, status: "" }
  return { text: "", status: `${state}${extra}` }
}

function outcomeOf(event: ComposeEvent): Outcome {
  const { state } = event
  if (state === "Error") return "error"
  if (state === "Warning") return "warning"
  if (state === "Skipped") return isTransfer(event) ? "done" : "warning"
  return state.endsWith("ing") && state !== "Running" ? "working" : state === "Recreate" ? "working" : "done"
}

/** Of an image that is pulled or pushed: leaving it out is all right. */
function isTransfer({ kind }: ComposeEvent): boolean {
  return kind === "service" || kind === "image"
}
