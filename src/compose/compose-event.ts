import type { ProgressEvent } from "../base/progress.ts"

/**
 * What compose is doing, as data: one `id` is one line of a display, a later event of the same id replaces the earlier one. Front ends
 * make docker's lines of it (`Container p-web-1  Started`).
 */
export interface ComposeEvent {
  kind: "container" | "network" | "volume" | "image" | "service" | "model" | "provider"
  /** Of the thing: `p-web-1`. */
  name: string
  state: ComposeState
  /** Besides the state: an error's message, what is waited for. */
  detail?: string
  /** Of a part of it (a layer): the name of the whole. */
  parent?: string
  /** What that part is at. */
  progress?: ProgressEvent
  /** Bytes or items. */
  current?: number
  total?: number
}

/** Docker's words, which are what its display shows. A word of the `-ing` kind is work that goes on; the rest are ends. */
export type ComposeState =
  | "Creating"
  | "Created"
  | "Starting"
  | "Started"
  | "Running"
  | "Recreate"
  | "Recreated"
  | "Restarting"
  | "Restarted"
  | "Waiting"
  | "Healthy"
  | "Exited"
  | "Stopping"
  | "Stopped"
  | "Killing"
  | "Killed"
  | "Removing"
  | "Removed"
  | "Building"
  | "Built"
  | "Pulling"
  | "Pulled"
  | "Pushing"
  | "Pushed"
  | "Pausing"
  | "Paused"
  | "Unpausing"
  | "Unpaused"
  | "Committing"
  | "Committed"
  | "Copying"
  | "Copied"
  | "Skipped"
  | "Warning"
  | "Error"

/** Hears of it; returns soon and throws nothing. */
export type OnComposeEvent = (event: ComposeEvent) => void
