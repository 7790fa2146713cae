/** The table of one run, as Markdown. */
import { cpus, totalmem } from "node:os"
import { readFileSync } from "node:fs"
import type { Engine } from "./engine.ts"
import type { Measure } from "./measure.ts"

export interface Result {
  measure: Measure
  /** All figures of each engine by its name; none where it could not. */
  figures: Map<string, number[]>
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2
}

export function report(engines: readonly Engine[], results: readonly Result[], notes: readonly string[]): string {
  const names = engines.map((engine) => engine.name)
  const peers = names.filter((name) => name !== "skiff")
  const header = ["", ...names, ...peers.map((peer) => `skiff / ${peer}`), "to reach", ""]
  const rows = results.map((result) => row(result, names, peers))
  const lines = [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`)
  return [
    "# Measured",
    "",
    `${new Date().toISOString().slice(0, 10)}, ${machine()}.`,
    `${engines.map((engine) => `${engine.name} ${engine.version} (${engine.runtime})`).join(", ")}.`,
    "Medians; the rounds of all engines interleaved in one run. Made by `npm run bench`.",
    ...notes,
    "",
    ...lines,
    "",
  ].join("\n")
}

function row({ measure, figures }: Result, names: readonly string[], peers: readonly string[]): string[] {
  const value = (name: string) => median(figures.get(name) ?? [])
  const ratio = (peer: string) => value("skiff") / value(peer)
  const text = (name: string) => (Number.isNaN(value(name)) ? "–" : `${digits(value(name))} ${measure.unit}`)
  const times = (peer: string) => (Number.isFinite(ratio(peer)) ? `${ratio(peer).toFixed(2)} ×` : "–")
  return [measure.name, ...names.map(text), ...peers.map(times), ...verdict(measure, value("skiff"), peers, ratio)]
}

function verdict(
  { target, unit }: Measure,
  own: number,
  peers: readonly string[],
  ratio: (peer: string) => number,
): string[] {
  if (target === undefined) return ["", ""]
  if ("atMost" in target) return [`≤ ${target.atMost} ${unit}`, own <= target.atMost ? "reached" : "not reached"]
  if ("atLeast" in target) {
    const least = Math.min(...peers.map(ratio).filter(Number.isFinite))
    return [
      `≥ ${target.atLeast} × best`,
      !Number.isFinite(least) ? "" : least >= target.atLeast ? "reached" : "not reached",
    ]
  }
  const measured = target.peer === "best" ? Math.max(...peers.map(ratio).filter(Number.isFinite)) : ratio(target.peer)
  const said = `≤ ${target.ratio} × ${target.peer}`
  return [said, !Number.isFinite(measured) ? "" : measured <= target.ratio ? "reached" : "not reached"]
}

function digits(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0)
}

function machine(): string {
  const [cpu] = cpus()
  const kernel = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? ""
  const gib = Math.round(totalmem() / 1024 ** 3)
  return `${cpus().length} × ${cpu?.model ?? "processor"}, ${gib} GiB, ${system}, Linux ${kernel.replace(/-.*/, "")}`
}
