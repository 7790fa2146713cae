import { InvalidArgument } from "../base/errors.ts"
import type { MeterGrouping, MeterQuery } from "../meter/meter.ts"
import { flag, type FlagValues } from "./flag.ts"

/** What the commands of the meter share: which time, and what a line stands for. */
export const METER_FLAGS = {
  by: flag.of(readGrouping, "What a line stands for: container (default), user, image, label=KEY", "string", {
    completes: ["container", "user", "image", "label="],
  }),
  since: flag.time('From this time on ("2026-01-31", "24h")'),
}

/** Of those flags. */
export function meterQuery({ by, since }: FlagValues<typeof METER_FLAGS>): MeterQuery {
  return { since, grouping: by }
}

/** What the lines stand for, in a word. */
export function keyName({ grouping = { by: "container" } }: MeterQuery): string {
  return grouping.by === "label" ? grouping.label : grouping.by
}

function readGrouping(text: string): MeterGrouping {
  if (text === "container" || text === "user" || text === "image") return { by: text }
  const label = text.startsWith("label=") ? text.slice("label=".length) : ""
  if (label === "") throw new InvalidArgument("expected container, user, image or label=KEY")
  return { by: "label", label }
}
