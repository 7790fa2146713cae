import { InvalidArgument, isSkiffError, SkiffError, type ErrorCode, type ErrorDetails } from "../base/errors.ts"
import type { SourceRange } from "./dockerfile.ts"
import type { SourceFile } from "./dockerfile.ts"

const MAX_QUOTED_LINES = 12
const MAX_LINE_LENGTH = 200
const CONTEXT_LINES = 2

// errors that already tell where: an inner place is the better one
const located = new WeakSet<Error>()

/** An error about lines of a Dockerfile; its message names and quotes them. */
export function sourceError(
  file: SourceFile,
  source: SourceRange,
  message: string,
  details: ErrorDetails & { code?: ErrorCode } = {},
): SkiffError {
  const { code, ...rest } = details
  const text = `${file.name}:${source.start}: ${message}\n${quoteSource(file, source)}`
  const error = code === undefined ? new InvalidArgument(text, rest) : new SkiffError(code, text, rest)
  located.add(error)
  return error
}

/** The lines of `source`, marked, and those around them, with their numbers, as an error shows them; long ones are cut. */
export function quoteSource(file: SourceFile, { start, end }: SourceRange): string {
  const lines = linesOf(file)
  const shownEnd = Math.min(end, start + MAX_QUOTED_LINES - 1)
  const first = Math.max(1, start - CONTEXT_LINES)
  const last = shownEnd < end ? shownEnd : Math.min(lines.length, end + CONTEXT_LINES)
  const width = Math.max(4, String(last).length)
  const quoted = lines.slice(first - 1, last).map((line, index) => {
    const number = first + index
    const mark = number >= start && number <= end ? ">>>" : "   "
    return `${String(number).padStart(width)} | ${mark} ${shownLine(line)}`.trimEnd()
  })
  if (shownEnd < end) quoted.push(`${" ".repeat(width)} | >>> … ${end - shownEnd} more lines`)
  return quoted.join("\n")
}

// a file of many faults is split once
const splitFiles = new WeakMap<SourceFile, readonly string[]>()

function linesOf(file: SourceFile): readonly string[] {
  const known = splitFiles.get(file)
  if (known !== undefined) return known
  const lines = file.text.split("\n")
  if (lines.at(-1) === "") lines.pop()
  splitFiles.set(file, lines)
  return lines
}

function shownLine(line: string): string {
  const cut = line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}…` : line
  // control characters of a hostile file do not reach the terminal
  return cut.trimEnd().replace(/(?!\t)\p{Cc}/gu, "\uFFFD")
}

/** Runs `work`; a SkiffError of it that names no lines yet becomes one about `source`. */
export function atSource<T>(file: SourceFile, source: SourceRange, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw withSource(file, source, error)
  }
}

/** `error` as one about `source`, unless it tells its place already or is none of ours. */
export function withSource(file: SourceFile, source: SourceRange, error: unknown): unknown {
  if (!isSkiffError(error) || located.has(error) || error.code === "Cancelled") return error
  return sourceError(file, source, error.message, {
    code: error.code,
    cause: error,
    field: error.field,
    hint: error.hint,
    data: error.data,
  })
}
