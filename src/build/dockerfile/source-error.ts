import { InvalidArgument, isSkiffError, SkiffError, type ErrorCode, type ErrorDetails } from "../../base/errors.ts"
import type { SourceRange } from "../build.ts"
import type { SourceFile } from "./dockerfile.ts"

const MAX_QUOTED_LINES = 8
const MAX_LINE_LENGTH = 200

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

/** The lines of `source` with their numbers, as an error shows them; long ones are cut. */
export function quoteSource(file: SourceFile, source: SourceRange): string {
  const lines = file.text.split("\n").slice(source.start - 1, source.end)
  const shown = lines.length > MAX_QUOTED_LINES ? lines.slice(0, MAX_QUOTED_LINES - 1) : lines
  const width = Math.max(4, String(source.end).length)
  const quoted = shown.map((line, index) => {
    const text = line.trimEnd()
    const cut = text.length > MAX_LINE_LENGTH ? `${text.slice(0, MAX_LINE_LENGTH)}…` : text
    // control characters of a hostile file do not reach the terminal
    return `${String(source.start + index).padStart(width)} | ${cut.replace(/(?!\t)\p{Cc}/gu, "\uFFFD")}`
  })
  if (shown.length < lines.length) quoted.push(`${" ".repeat(width)} | … ${lines.length - shown.length} more lines`)
  return quoted.join("\n")
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
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.exitCode === undefined ? {} : { exitCode: error.exitCode }),
  })
}
