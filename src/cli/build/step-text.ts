import { formatSize } from "../../base/sizes.ts"
import type { ProgressEvent } from "../../base/progress.ts"
import { hasFigures, stageWords } from "../output/stage-words.ts"

/** Of what is about a layer, its name says which; other ids are only ours. */
const LAYER = /^(?:sha256:)?[0-9a-f]{12,64}$/

/** A line below a step: the shortened digest of a layer, what is done with it, and figures. */
export function progressText(event: ProgressEvent): string {
  const { id, subject = "", current, total } = event
  const figures =
    current === undefined || !hasFigures(event)
      ? ""
      : total === undefined
        ? ` ${formatSize(current)}`
        : ` ${formatSize(current)} / ${formatSize(total)}`
  return `${LAYER.test(id) && !subject.includes(id) ? `${id} ` : ""}${stageWords(event)}${figures}`
}

/** Seconds with `digits` after the point. */
export function seconds(ms: number, digits: number): string {
  return (Math.max(0, ms) / 1000).toFixed(digits)
}
