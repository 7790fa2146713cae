/** What an image must keep to in a pipeline: dive's rules, with dive's words for them. */
import { InvalidArgument } from "../../base/errors.ts"
import type { Figures } from "./figures.ts"

/** A rule's name, as dive's settings have it. */
export const RULES = ["highestUserWastedPercent", "highestWastedBytes", "lowestEfficiency"] as const
/** One of `RULES`. */
export type RuleName = (typeof RULES)[number]

/** The value of each as it was written. */
export type RuleValues = Readonly<Record<RuleName, string>>

/** dive's own. */
export const DEFAULT_RULES: RuleValues = {
  lowestEfficiency: "0.9",
  highestWastedBytes: "disabled",
  highestUserWastedPercent: "0.1",
}

/** What became of a rule. */
export interface RuleResult {
  name: RuleName
  status: "pass" | "fail" | "skip"
  /** Why it failed; else its value. */
  message: string
}

/** Each rule, by its name. A threshold that is just met passes. Throws InvalidArgument for values that are none. */
export function checkRules(figures: Figures, values: RuleValues): RuleResult[] {
  const limits = RULES.map((name) => ({ name, value: values[name], limit: parseRule(name, values[name]) }))
  return limits.map(({ name, value, limit }): RuleResult => {
    if (limit === undefined) return { name, status: "skip", message: "disabled" }
    const fault = FAULTS[name](figures, limit)
    return fault === undefined ? { name, status: "pass", message: value } : { name, status: "fail", message: fault }
  })
}

const FAULTS: Readonly<Record<RuleName, (figures: Figures, limit: number) => string | undefined>> = {
  lowestEfficiency: ({ efficiency }, limit) =>
    limit > efficiency
      ? `image efficiency is too low (efficiency=${efficiency.toFixed(2)} < threshold=${limit})`
      : undefined,
  highestWastedBytes: ({ wastedBytes }, limit) =>
    wastedBytes > limit ? `too many bytes wasted (wasted-bytes=${wastedBytes} > threshold=${limit})` : undefined,
  highestUserWastedPercent: ({ wastedUserPercent }, limit) =>
    wastedUserPercent > limit
      ? `too many bytes wasted, relative to the user bytes added (%-user-wasted-bytes=${shownRatio(wastedUserPercent)} > threshold=${limit})`
      : undefined,
}

/** As Go prints it. */
function shownRatio(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : "+Inf"
}

function parseRule(name: RuleName, value: string): number | undefined {
  const word = value.trim().toLowerCase()
  if (["", "disabled", "off", "false"].includes(word)) return undefined
  if (name === "highestWastedBytes") return parseBytes(value)
  const ratio = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(word) ? Number(word) : NaN
  if (ratio >= 0 && ratio <= 1) return ratio
  throw new InvalidArgument(`invalid ${name} "${value}"`, {
    field: `rules.${name}`,
    hint: 'expected a ratio between 0 and 1, such as 0.95, or "disabled"',
  })
}

const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1 }
for (const [at, letter] of [..."kmgtpe"].entries())
  Object.assign(UNITS, {
    [letter]: 1000 ** (at + 1),
    [`${letter}b`]: 1000 ** (at + 1),
    [`${letter}i`]: 1024 ** (at + 1),
    [`${letter}ib`]: 1024 ** (at + 1),
  })

/** As dive reads sizes: `20MB` is 20,000,000, `20MiB` 1024 times 1024 as many. */
function parseBytes(text: string): number {
  const [, digits = "", unit = ""] = /^(\d[\d,]*(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? []
  const bytes = Math.floor(Number(digits.replaceAll(",", "")) * (UNITS[unit.toLowerCase()] ?? NaN))
  if (digits !== "" && Number.isFinite(bytes)) return bytes
  throw new InvalidArgument(`invalid highestWastedBytes "${text}"`, {
    field: "rules.highestWastedBytes",
    hint: 'expected a size such as 20MB, or "disabled"',
  })
}
