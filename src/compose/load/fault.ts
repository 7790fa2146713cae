import { InvalidArgument, SkiffError, type ErrorCode, type ErrorDetails } from "../../base/errors.ts"
import { quoteSource } from "../../dockerfile/source-error.ts"
import type { Origin } from "./tree.ts"

/** As ErrorDetails; `code` where it is not InvalidArgument. */
export type FaultDetails = Omit<ErrorDetails, "field"> & { code?: ErrorCode }

/**
 * An error of what a file says. The first line is docker's message, word for word, since scripts look for it; below it stand
 * `file:line:column` and the lines of the file. `data.origin` has the place, where one is known.
 */
export function fault(message: string, origin?: Origin, { code, data, ...details }: FaultDetails = {}): SkiffError {
  const located = origin === undefined ? message : `${message}\n${showOrigin(origin)}`
  const rest: ErrorDetails = { ...details, data: origin === undefined ? data : { ...data, origin: plain(origin) } }
  return code === undefined ? new InvalidArgument(located, rest) : new SkiffError(code, located, rest)
}

/** `file:line:column`, and the lines around it where the file's text is at hand. */
export function showOrigin(origin: Origin): string {
  const { file, line, column, source } = origin
  const place = `  ${file}:${line}:${column}`
  return source === undefined ? place : `${place}\n${quoteSource(source, { start: line, end: line })}`
}

/** Without the text: errors are handed on, printed, compared. */
function plain({ file, line, column }: Origin): Origin {
  return { file, line, column }
}
