/** The part of Markdown that the manual is written in: headings, paragraphs, lists, tables, fenced code. */

export type Block =
  | { kind: "heading"; level: number; text: string }
  | { kind: "paragraph"; text: string }
  | { kind: "list"; items: string[] }
  | { kind: "table"; head: string[]; rows: string[][] }
  | { kind: "code"; language: string; lines: string[] }

/** Blocks of a text, in order. Throws on a fence that is not closed. */
export function parseMarkdown(text: string): Block[] {
  const lines = text.split("\n")
  const blocks: Block[] = []
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? ""
    const heading = /^(#+) +(.*)$/.exec(line)
    const fence = /^```(\S*)/.exec(line)
    if (line.trim() === "") at++
    else if (heading) {
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, text: heading[2] ?? "" })
      at++
    } else if (fence) {
      const end = lines.indexOf("```", at + 1)
      if (end < 0) throw new Error(`line ${at + 1}: the code block is not closed`)
      blocks.push({ kind: "code", language: fence[1] ?? "", lines: lines.slice(at + 1, end) })
      at = end + 1
    } else {
      const end = endOfBlock(lines, at)
      blocks.push(textBlock(lines.slice(at, end)))
      at = end
    }
  }
  return blocks
}

function endOfBlock(lines: readonly string[], from: number): number {
  const end = lines.findIndex((line, index) => index > from && /^\s*$|^```|^#+ /.test(line))
  return end < 0 ? lines.length : end
}

function textBlock(lines: readonly string[]): Block {
  if (lines[0]?.startsWith("|")) {
    const [head = [], , ...rows] = lines.map(cellsOf)
    return { kind: "table", head, rows }
  }
  if (!lines[0]?.startsWith("- ")) return { kind: "paragraph", text: lines.join(" ") }
  const items: string[] = []
  for (const line of lines)
    if (line.startsWith("- ")) items.push(line.slice(2))
    else items.push(`${items.pop() ?? ""} ${line.trim()}`)
  return { kind: "list", items }
}

/** `| a | b \| c |` is two cells. */
function cellsOf(line: string): string[] {
  const inner = line.trim().replace(/^\||\|$/g, "")
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"))
}

/** Level-2 sections of a text by their titles; what stands before the first has the title "". */
export function sectionsOf(text: string): Map<string, string> {
  const sections = new Map<string, string>()
  let title = ""
  let inCode = false
  for (const line of text.split("\n")) {
    if (line.startsWith("```")) inCode = !inCode
    const heading = inCode ? undefined : /^## +(.*)$/.exec(line)?.[1]
    if (heading === undefined) sections.set(title, `${sections.get(title) ?? ""}${line}\n`)
    else sections.set((title = heading), "")
  }
  return new Map([...sections].map(([name, body]) => [name, body.trim()]))
}
