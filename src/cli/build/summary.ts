import { formatSize } from "../../base/sizes.ts"
import type { BuildEvent, BuildWarning, ContextSize, LayerCost } from "../../build/build.ts"
import { alignColumns } from "../output/columns.ts"
import { safeLine } from "./log-lines.ts"
import { seconds } from "./step-text.ts"
import type { Step } from "./steps.ts"

type WarningEvent = Extract<BuildEvent, { kind: "warning" }>

const FRAME = "------"
const CREATED_BY_CHARACTERS = 60

/** The last output of the step that failed, in BuildKit's frame. */
export function failureLines(step: Step): string[] {
  const log = step.log.last(Infinity)
  if (log.length === 0) return []
  const { startedAt = 0 } = step
  return [
    FRAME,
    ` > ${safeLine(step.name)}:`,
    ...log.map(({ at, text }) => `${seconds(at - startedAt, 3)} ${safeLine(text)}`),
    FRAME,
  ]
}

/** What the linter found, in docker's form. */
export function warningLines(warnings: readonly WarningEvent[]): string[] {
  if (warnings.length === 0) return []
  return [
    "",
    ` ${counted(warnings.length, "warning")} found:`,
    ...warnings.map(({ rule, message, source }) => ` - ${rule}: ${message}${source ? ` (line ${source.start})` : ""}`),
  ]
}

/** `--check`: each warning with its rule, its reason and the lines themselves. */
export function checkLines(warnings: readonly BuildWarning[]): string[] {
  if (warnings.length === 0) return ["Check complete, no warnings found."]
  return [
    `Check complete, ${counted(warnings.length, "warning")} ${warnings.length === 1 ? "has" : "have"} been found!`,
    ...warnings.flatMap(({ rule, message, hint, source, quote }) => [
      "",
      `WARNING: ${rule}`,
      message,
      ...(hint === "" ? [] : [`  hint: ${hint}`]),
      quote ?? `line ${source.start}`,
    ]),
  ]
}

/** `--explain-layers`: what each line costs, and what a later one threw away. */
export function costLines(costs: readonly LayerCost[]): string[] {
  const rows = costs.map(({ bytes, wastedBytes, source, createdBy }) =>
    [source?.start ?? "", formatSize(bytes), wastedBytes > 0 ? formatSize(wastedBytes) : "", shortened(createdBy)].join(
      "\t",
    ),
  )
  return [
    "",
    ...alignColumns(["LINE\tSIZE\tWASTED\tCREATED BY", ...rows]).map((line) => line.trimEnd()),
    totalLine(costs),
  ]
}

/** What `.dockerignore` saves. */
export function contextLine({ bytes, allBytes }: ContextSize): string {
  const left = allBytes > bytes ? `; the ignore file excludes ${formatSize(allBytes - bytes)} more` : ""
  return `context of ${formatSize(bytes)}${left}`
}

/** One line for the end of a build. */
export function totalLine(costs: readonly LayerCost[]): string {
  const bytes = costs.reduce((sum, cost) => sum + cost.bytes, 0)
  const wasted = costs.reduce((sum, cost) => sum + cost.wastedBytes, 0)
  const waste = wasted > 0 ? `, of which ${formatSize(wasted)} are deleted or replaced by later lines` : ""
  return `${counted(costs.length, "new layer")}, ${formatSize(bytes)}${waste}`
}

/** `--explain-cache`: why each step ran, and which came from another cache than our own. */
export function cacheLines(
  misses: readonly { step: string; reason: string }[],
  imported: readonly { step: string; from: string }[],
): string[] {
  const ran = misses.map(({ step, reason }) => ` - ${safeLine(step)}: ${safeLine(reason)}`)
  const came = imported.map(({ step, from }) => ` - ${safeLine(step)}: ${safeLine(from)}`)
  return [
    "",
    ...(ran.length === 0 ? ["every step was taken from the cache"] : ["steps that ran, and why:", ...ran]),
    ...(came.length === 0 ? [] : ["steps that were imported, and from where:", ...came]),
  ]
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ")
  return line.length <= CREATED_BY_CHARACTERS ? line : `${line.slice(0, CREATED_BY_CHARACTERS - 1)}…`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`
}
