import { formatSize } from "../../base/sizes.ts"
import { printable } from "../../base/printable.ts"
import type { Advice, Measure } from "../../advise/advise.ts"

/** Advice for people: what it brings first, then what was found, then the line that changes. */
export function adviceText(subject: string, advice: readonly Advice[]): string {
  if (advice.length === 0) return `${printable(subject)}: nothing to advise.\n`
  const lines = [`${printable(subject)}: ${advice.length} ${advice.length === 1 ? "advice" : "pieces of advice"}`]
  for (const { id, title, message, measured, line, file, before, after } of advice) {
    lines.push("", `${amount(measured).padEnd(10)} ${id}: ${title}${place(file, line)}`, `           ${flat(message)}`)
    for (const text of before?.split("\n") ?? []) lines.push(`         - ${flat(text)}`)
    if (after !== undefined) lines.push(`         + ${flat(after)}`)
  }
  return `${lines.join("\n")}\n`
}

function place(file: string | undefined, line: number | undefined): string {
  if (line === undefined) return ""
  return file === undefined ? ` (line ${line})` : ` (${printable(file)}:${line})`
}

/** A stranger's words, on one line. */
function flat(text: string): string {
  return printable(text.replaceAll(/[\r\n\t]+/g, " "))
}

function amount({ value, unit }: Measure): string {
  return unit === "bytes" ? formatSize(value) : `${value} ${value === 1 ? unit.slice(0, -1) : unit}`
}
