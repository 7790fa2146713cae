import type { Style } from "../screen/style.ts"

/** A file as one layer has it. */
export interface FilePlace {
  layer: number
  /** Raw. */
  path: string
}

/** What lies over the views: a file's contents, lines to read, or a list to choose from. */
export type Page = ContentPage | LinesPage | ListPage

/** How contents are shown. */
export type ContentForm = "text" | "hex"

/** A file, of which the part is read that is shown. */
export interface ContentPage {
  kind: "content"
  title: string
  place: FilePlace
  form: ContentForm
  sizeBytes: number
  /** What is read; undefined until the first part has come. */
  block: Block | undefined
  /** Line of the block, or row of 16 bytes of the file, in the first line of the screen. */
  top: number
  /** Columns that are scrolled out at the left. */
  left: number
}

/** A part of a file. */
export interface Block {
  offset: number
  bytes: Uint8Array
  lines: readonly string[]
  /** Where each line begins, in the block. */
  starts: readonly number[]
}

export interface LinesPage {
  kind: "lines"
  title: string
  lines: readonly { text: string; style: Style }[]
  top: number
  left: number
  /** Whose contents are shown by the next key that switches. */
  place?: FilePlace
}

export interface ListPage {
  kind: "list"
  title: string
  items: readonly ListItem[]
  at: number
  top: number
}

export interface ListItem {
  text: string
  style: Style
  place: FilePlace | undefined
}

/** So much of a file is read at once. */
export const BLOCK_BYTES = 256 * 1024
/** Bytes of a file in one line of the screen. */
export const HEX_BYTES = 16
/** A line that is longer goes on in the next. */
const MAX_LINE_BYTES = 4096
const NEWLINE = 10
const TAB = 8

/** The part of a file as lines. `isCut`: its beginning is the middle of a line, which is left out where another follows. */
export function blockOf(offset: number, bytes: Uint8Array, isCut: boolean): Block {
  const first = isCut ? bytes.indexOf(NEWLINE) + 1 : 0
  const starts: number[] = []
  const lines: string[] = []
  for (let start = first < bytes.length ? first : 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start)
    const whole = newline < 0 ? bytes.length : newline
    const end = Math.min(whole, start + MAX_LINE_BYTES)
    starts.push(start)
    lines.push(lineText(bytes.subarray(start, end)))
    start = end === whole ? whole + 1 : end
  }
  return { offset, bytes, lines, starts }
}

/** Lines of a whole file, for comparisons. */
export function linesOf(bytes: Uint8Array): readonly string[] {
  return blockOf(0, bytes, false).lines
}

/** Whether a person would not read it as text. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 8192).includes(0)
}

/** A row of a hex view: place, bytes, and the characters that they are in ASCII. */
export function hexRow(offset: number, bytes: Uint8Array): string {
  const digits = Array.from({ length: HEX_BYTES }, (_, at) => bytes[at]?.toString(16).padStart(2, "0") ?? "  ")
  const text = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."))
  return `${offset.toString(16).padStart(8, "0")}  ${digits.slice(0, 8).join(" ")}  ${digits.slice(8).join(" ")}  ${text.join("")}`
}

function lineText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8").replace(/\r$/, "")
  if (!text.includes("\t")) return text
  let shown = ""
  for (const [index, part] of text.split("\t").entries())
    shown = index === 0 ? part : `${shown}${" ".repeat(TAB - (shown.length % TAB))}${part}`
  return shown
}
