import type { Edit } from "./advice.ts"

/** The text with all edits made. Line ends stay as they are. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const lines = text.split("\n")
  for (const { line, after } of edits.toSorted((a, b) => b.line - a.line)) {
    const end = lines[line - 1]?.endsWith("\r") ? "\r" : ""
    lines.splice(line - 1, 1, ...after.map((one) => `${one}${end}`))
  }
  return lines.join("\n")
}

/** Edits as people read them: a unified diff without context. */
export function diffOf(name: string, edits: readonly Edit[]): string {
  const ordered = edits.toSorted((a, b) => a.line - b.line)
  let shift = 0
  const hunks = ordered.map(({ line, before, after }) => {
    const at = line + shift
    shift += after.length - 1
    return [
      `@@ -${line} +${at}${after.length === 1 ? "" : `,${after.length}`} @@`,
      `-${before}`,
      ...after.map((one) => `+${one}`),
    ].join("\n")
  })
  return [`--- ${name}`, `+++ ${name}`, ...hunks, ""].join("\n")
}
