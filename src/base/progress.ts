/**
 * Progress as data. Domains report it, front ends draw it: a terminal shows bars, a pipe plain lines, the API JSON.
 * One `id` is one line of the display (a layer, a step); a later event of the same id replaces the earlier one.
 */
export interface ProgressEvent {
  id: string
  /** The words of docker's pull: `Pulling fs layer`, `Downloading`, `Extracting`, `Pull complete`, `Already exists` … */
  status: string
  /** Bytes or items done so far, and in all where that is known. */
  current?: number
  total?: number
}

export type OnProgress = (event: ProgressEvent) => void

export const noProgress: OnProgress = () => {}

/** Hands on the count at most every 50 ms: more often nobody sees. */
export function throttled(report: (count: number) => void): (count: number) => void {
  let reportedAt = 0
  return (count) => {
    const now = performance.now()
    if (now - reportedAt < PROGRESS_EVERY_MS) return
    reportedAt = now
    report(count)
  }
}

const PROGRESS_EVERY_MS = 50
