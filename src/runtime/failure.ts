import { FailedPrecondition, InvalidArgument, SkiffError } from "../base/errors.ts"

const CANNOT_INVOKE = 126
const NOT_FOUND = 127

/**
 * Turns a runtime's words into an error with docker's exit code and wording: 127 when the program is not there,
 * 126 when it is but cannot be run, none (so the face's 125) for all else.
 */
export function runtimeFailure(runtimeName: string, words: string): SkiffError {
  const text = plainWords(words)
  const quoted = /executable file [`'"]([^`'"]*)[`'"] not found/.exec(text)?.[1]
  if (quoted !== undefined) return notRunnable(`exec: "${quoted}": executable file not found in $PATH`, NOT_FOUND)
  const fromExec = /exec: "(?:[^"\\]|\\.)*": (.*)$/s.exec(text)
  if (fromExec !== null) {
    const [whole, reason = ""] = fromExec
    return notRunnable(whole, /not found|no such file/i.test(reason) ? NOT_FOUND : CANNOT_INVOKE)
  }
  if (/open executable|exec format error|is a directory|cannot execute/i.test(text))
    return notRunnable(text, /no such file/i.test(text) ? NOT_FOUND : CANNOT_INVOKE)
  return new FailedPrecondition(`${runtimeName}: ${text}`)
}

function notRunnable(message: string, exitCode: number): SkiffError {
  return new InvalidArgument(message, { exitCode })
}

/** The last message of the runtime, without its log format: crun writes text or JSON, runc logrus lines. */
export function plainWords(words: string): string {
  const lines = words.trim().split("\n")
  const last = lines.findLast((line) => line.trim() !== "") ?? "no message"
  try {
    const parsed = JSON.parse(last) as { msg?: unknown }
    if (typeof parsed.msg === "string") return parsed.msg
  } catch {
    // not JSON: the words themselves
  }
  const message = /msg="((?:[^"\\]|\\.)*)"/.exec(last)?.[1]?.replaceAll('\\"', '"') ?? last
  return message.replace(/^time="[^"]*" level=\w+ /, "").replace(/^(?:\d{4}-\d\d-\d\dT\S+: )/, "")
}
