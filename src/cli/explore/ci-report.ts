import { shownPath } from "../../sbom/sbom.ts"
import type { Figures, RuleResult } from "../../explore/explore.ts"
import { humanBytes } from "./human-bytes.ts"

const WORDS = { pass: "PASS", fail: "FAIL", skip: "SKIP" } as const
const LABEL_COLUMNS = 18

/** What dive prints of an image in a pipeline, without its colours. */
export function ciReport(figures: Figures, results: readonly RuleResult[]): string {
  return [analysis(figures), inefficientFiles(figures), evaluation(results)].join("\n\n")
}

function analysis({ efficiency, wastedBytes, wastedUserPercent }: Figures): string {
  const ratio = Number.isFinite(wastedUserPercent) ? (wastedUserPercent * 100).toFixed(2) : "+Inf"
  return [
    "Analysis:",
    labelled("efficiency", `${(efficiency * 100).toFixed(2)} %`),
    labelled("wastedBytes", `${wastedBytes} bytes ${wastedBytes > 0 ? `(${humanBytes(wastedBytes)})` : ""}`),
    labelled("userWastedPercent", wastedBytes > 0 ? `${ratio} %` : "0 %"),
  ].join("\n")
}

function inefficientFiles({ inefficiencies }: Figures): string {
  if (inefficiencies.length === 0) return "Inefficient Files: (None)"
  return [
    "Inefficient Files:",
    fileRow("Count", "Wasted Space", "File Path"),
    ...inefficiencies.map(({ count, sizeBytes, path }) =>
      fileRow(String(count), humanBytes(sizeBytes), shownPath(path)),
    ),
  ].join("\n")
}

function evaluation(results: readonly RuleResult[]): string {
  const count = (status: RuleResult["status"]) => results.filter((one) => one.status === status).length
  const tally = (["pass", "fail", "skip"] as const).flatMap((status) => {
    const number = count(status)
    return number === 0 ? [] : [`${status}:${number}`]
  })
  return [
    "Evaluation:",
    ...results.map(({ name, status, message }) => `  ${WORDS[status]}  ${name} (${message})`),
    "",
    `${count("fail") > 0 ? "FAIL" : "PASS"} [${tally.join(" ")}]`,
  ].join("\n")
}

function labelled(label: string, value: string): string {
  return `  ${`${label}:`.padEnd(LABEL_COLUMNS)} ${value}`
}

function fileRow(count: string, space: string, path: string): string {
  return `  ${count.padEnd(5)}  ${space.padEnd(12)}  ${path}`
}
