import { formatSize } from "../../base/sizes.ts"
import type { StepStatus } from "./steps.ts"

/** Of a status that is about a layer, its name says which; other ids are only ours. */
const LAYER = /^(?:sha256:)?[0-9a-f]{12,64}$/

/** A status line: the shortened digest of a layer or the id, its text and figures. */
export function statusText(id: string, { text, current, total }: StepStatus): string {
  const figures =
    current === undefined
      ? ""
      : total === undefined
        ? ` ${formatSize(current)}`
        : ` ${formatSize(current)} / ${formatSize(total)}`
  return `${LAYER.test(id) && !text.includes(id) ? `${id} ` : ""}${text}${figures}`
}

/** Seconds with `digits` after the point. */
export function seconds(ms: number, digits: number): string {
  return (Math.max(0, ms) / 1000).toFixed(digits)
}
