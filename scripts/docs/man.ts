/** The pages of man: roff with the man(7) macros. */
import { type Block, parseMarkdown } from "./markdown.ts"
import { pageId, type Page, type PageLink } from "./page.ts"

/** One page in roff. `version` stands in its foot. */
export function manPage(page: Page, version: string): string {
  const { name, summary, synopsis, aliases, sections, options, commands, seeAlso } = page
  const all = [...sections]
  const description = all.filter(([title]) => title === "Description")
  const others = all.filter(([title]) => title !== "Description")
  const lines = [
    `.TH ${pageId(name).toUpperCase()} 1 "" "skiff ${version}" "skiff"`,
    // no hyphens inside of names and flags, and no stretched lines
    ".nh",
    ".ad l",
    ".SH NAME",
    `${plain(pageId(name))} \\- ${inline(summary)}`,
    ".SH SYNOPSIS",
    ...synopsis.flatMap((line) => [`.B ${plain(line)}`, ".br"]).slice(0, -1),
    ".SH DESCRIPTION",
    ...(description.length === 0 ? [".PP", `${inline(summary)}.`] : []),
    ...description.flatMap(([, body]) => blocks(body)),
    ...(aliases.length === 0 ? [] : [".PP", `Also: ${aliases.map((alias) => bold(`skiff ${alias}`)).join(", ")}.`]),
    ...(commands.length === 0 ? [] : [".SH COMMANDS", ...commands.flatMap(commandLines)]),
    ...(options.length === 0 ? [] : [".SH OPTIONS"]),
    ...options.flatMap(({ title, text }) => [".TP", bold(title), inline(text, true)]),
    ...others.flatMap(section),
    ".SH SEE ALSO",
    ...seeAlso.map((one, index) => `${reference(one)}${index < seeAlso.length - 1 ? "," : ""}`),
  ]
  return `${lines.filter((line, index) => line !== ".PP" || !/^\.S[HS]/.test(lines[index - 1] ?? "")).join("\n")}\n`
}

/** A page under another name. */
export function manAlias(page: Page): string {
  return `.so man1/${pageId(page.name)}.1\n`
}

function section([title, body]: readonly [string, string]): string[] {
  return [`.SH ${plain(title.toUpperCase())}`, ...blocks(body)]
}

function commandLines(command: Page["commands"][number]): string[] {
  return [".TP", bold(command.name), inline(command.summary)]
}

function reference({ id }: PageLink): string {
  return `.BR ${plain(id)} (1)`
}

function blocks(text: string): string[] {
  return parseMarkdown(text).flatMap(block)
}

function block(one: Block): string[] {
  switch (one.kind) {
    case "heading":
      return [`.SS ${inline(one.text)}`]
    case "paragraph":
      return [".PP", inline(one.text)]
    case "list":
      return one.items.flatMap((item) => [".IP \\(bu 2", inline(item)])
    case "table":
      // a table of two columns is a list of terms; of more, each row names its columns
      return one.rows.flatMap(([term = "", ...cells]) => [".TP", inline(term) || "\\&", inline(rowText(one, cells))])
    case "code":
      return [".PP", ".RS 4", ".nf", ...one.lines.map((line) => plain(line) || "\\&"), ".fi", ".RE"]
  }
}

function rowText({ head }: { head: readonly string[] }, cells: readonly string[]): string {
  if (cells.length === 1) return cells[0] ?? ""
  return cells.map((cell, index) => `${head[index + 1] ?? ""}: ${cell}`.replace(/^: /, "")).join("; ")
}

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`
}

/** `code` and **strong** are bold, *words* italic; a link is its text, with the address when that is not a page of ours. */
function inline(text: string, isPlain = false): string {
  const parts = text.split(/(`[^`]+`|\*\*[^*]+\*\*|(?<![\w*])\*[^*\s][^*]*\*|\[[^\]]+\]\([^)]+\))/)
  const shown = parts.map((part, index) => {
    if (index % 2 === 0) return escaped(part)
    if (part.startsWith("`")) return isPlain ? escaped(part) : bold(part.slice(1, -1))
    if (part.startsWith("**")) return bold(part.slice(2, -2))
    if (part.startsWith("*")) return `\\fI${escaped(part.slice(1, -1))}\\fR`
    const [, label = "", address = ""] = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part) ?? []
    return /^https?:/.test(address) ? `${escaped(label)} (${escaped(address)})` : escaped(label)
  })
  return filled(shown.join(""))
}

/** In lines of 80 bytes at most, where words allow it. */
function filled(text: string): string {
  const lines: string[] = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= 78) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.map(guarded).join("\n")
}

function plain(text: string): string {
  return guarded(escaped(text))
}

/** A line that begins with a dot or a quote would be a request. */
function guarded(text: string): string {
  return /^[.']/.test(text) ? `\\&${text}` : text
}

const SPECIAL: Record<string, string> = {
  "\\": "\\e",
  "-": "\\-",
  "`": "\\(ga",
  "'": "\\(aq",
  "^": "\\(ha",
  "~": "\\(ti",
  "…": "...",
  "–": "\\(en",
  "→": "\\(->",
  "×": "\\(mu",
  "“": "\\(lq",
  "”": "\\(rq",
  "≤": "\\(<=",
  "≥": "\\(>=",
}

function escaped(text: string): string {
  return text.replaceAll(/[\\\-`'^~…–→×“”≤≥]/g, (mark) => SPECIAL[mark] ?? mark)
}
