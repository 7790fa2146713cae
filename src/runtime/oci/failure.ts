import { FailedPrecondition, InvalidArgument, type SkiffError } from "../../base/errors.ts"

const CANNOT_INVOKE = 126
const NOT_FOUND = 127

/**
 * Turns a runtime's words into an error with docker's wording. Its `data.programExit` is 127 when the program is not there,
 * 126 when it is but cannot be run, `otherwise` for all else.
 */
export function runtimeFailure(
  runtimeName: string,
  words: string,
  { program = "", otherwise }: { program?: string; otherwise?: number } = {},
): SkiffError {
  const text = plainWords(words)
  const quoted = /executable file [`'"]([^`'"]*)[`'"] not found/.exec(text)?.[1]
  if (quoted !== undefined) return notRunnable(`exec: "${quoted}": executable file not found in $PATH`, NOT_FOUND)
  const [whole, reason = ""] = /exec: "(?:[^"\\]|\\.)*": (.*)$/s.exec(text) ?? []
  if (whole !== undefined) return notRunnable(whole, /not found|no such file/i.test(reason) ? NOT_FOUND : CANNOT_INVOKE)
  // crun names no program: "open executable: Operation not permitted"
  const [, trouble] = /^open executable: (.*)$/s.exec(text) ?? []
  if (trouble !== undefined)
    return notRunnable(
      `exec: "${program}": ${/not permitted|denied/i.test(trouble) ? "permission denied" : trouble.toLowerCase()}`,
      /no such file/i.test(trouble) ? NOT_FOUND : CANNOT_INVOKE,
    )
  // crun of 2025
  if (/^the path .* (is not a regular file|exists but it is not executable)/.test(text))
    return notRunnable(`exec: "${program}": permission denied`, CANNOT_INVOKE)
  if (/exec format error|is a directory/i.test(text)) return notRunnable(`exec: "${program}": ${text}`, CANNOT_INVOKE)
  return new FailedPrecondition(`${runtimeName}: ${text}`, {
    data: { programExit: otherwise, object: "runtime" },
  })
}

function notRunnable(message: string, programExit: number): SkiffError {
  return new InvalidArgument(message, { data: { programExit } })
}

/** The last message of the runtime, without its log format: crun writes text or JSON, runc logrus lines. */
export function plainWords(words: string): string {
  const last = words.split("\n").findLast((line) => line.trim() !== "") ?? "no message"
  const quoted = /msg="((?:[^"\\]|\\.)*)"/.exec(last)?.[1]?.replaceAll('\\"', '"')
  return quoted ?? jsonMessage(last) ?? last.trim().replace(/^\d{4}-\d\d-\d\dT\S+: /, "")
}

function jsonMessage(line: string): string | undefined {
  if (!line.startsWith("{")) return undefined
  try {
    const { msg } = JSON.parse(line) as { msg?: unknown }
    return typeof msg === "string" ? msg : undefined
  } catch {
    return undefined
  }
}
