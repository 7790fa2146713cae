import { InvalidArgument } from "../../base/errors.ts"

/** PATH where image and user say none. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

type HostEnvironment = Record<string, string | undefined>

/** Parses docker's `-e`: `KEY=VALUE`, or `KEY` for the host's value; undefined when the host has none. Throws InvalidArgument. */
export function parseEnv(text: string, host: HostEnvironment): string | undefined {
  const equals = text.indexOf("=")
  if (text === "" || equals === 0) throw new InvalidArgument(`invalid environment variable: ${text}`)
  if (equals > 0) return text
  const value = host[text]
  return value === undefined ? undefined : `${text}=${value}`
}

/** The same, and podman's `PREFIX*` for all of the host's variables whose names begin so. Throws InvalidArgument. */
export function parseEnvOrPrefix(text: string, host: HostEnvironment): string[] {
  if (/^[^=]*\*$/.test(text)) {
    const prefix = text.slice(0, -1)
    return Object.entries(host).flatMap(([name, value]) =>
      name.startsWith(prefix) && value !== undefined ? [`${name}=${value}`] : [],
    )
  }
  const entry = parseEnv(text, host)
  return entry === undefined ? [] : [entry]
}

/**
 * Parses an `--env-file`: one `KEY=VALUE` a line, as it stands, quotes included; `KEY` takes the host's value, where it has
 * one, and podman's `PREFIX*` those of all names that begin so; lines that begin with `#` are comments. Throws InvalidArgument in docker's words, with file and line.
 */
export function parseEnvFile(content: string, file: string, host: HostEnvironment): string[] {
  return readLines(content, file).flatMap(({ key, value }) => {
    return value === undefined ? parseEnvOrPrefix(key, host) : [`${key}=${value}`]
  })
}

/** Parses a `--label-file`: as an env file, but `KEY` alone is an empty label. */
export function parseLabelFile(content: string, file: string): [key: string, value: string][] {
  return readLines(content, file).map(({ key, value }) => [key, value ?? ""])
}

/** Parses `KEY=VALUE`, or `KEY` for an empty value: labels, driver options. Throws InvalidArgument. */
export function parseKeyValue(text: string): [key: string, value: string] {
  const equals = text.indexOf("=")
  if (text === "" || equals === 0) throw new InvalidArgument(`expected KEY=VALUE, not "${text}"`)
  return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)]
}

function readLines(content: string, file: string): { key: string; value: string | undefined }[] {
  return content
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, index) => ({ text: line.trimStart(), number: index + 1 }))
    .filter(({ text }) => text !== "" && !text.startsWith("#"))
    .map(({ text, number }) => {
      const equals = text.indexOf("=")
      const key = equals < 0 ? text.trimEnd() : text.slice(0, equals)
      const fail = (why: string) => new InvalidArgument(`${file}:${number}: ${why}`)
      if (key === "") throw fail(`no variable name on line '${text}'`)
      if (/\s/.test(key)) throw fail(`variable '${key}' contains whitespaces`)
      if (text.includes("\0")) throw fail("a NUL byte")
      return { key, value: equals < 0 ? undefined : text.slice(equals + 1) }
    })
}
