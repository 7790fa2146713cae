/** The head of a request that asks for another protocol: all of HTTP that streams need. */

/** A request without its body. Names of headers are in lower case; one that comes several times is joined by commas. */
export interface RequestHead {
  method: string
  path: string
  headers: Readonly<Record<string, string>>
}

/** More of it is refused. */
export const MAX_HEAD_BYTES = 32 * 1024

/** Where the head ends; undefined: not yet. Pure. */
export function headEnd(bytes: Uint8Array): number | undefined {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf("\r\n\r\n")
  return at < 0 ? undefined : at + 4
}

/** Parses RFC 9112's request line and fields; undefined for what is none. Pure. */
export function parseHead(text: string): RequestHead | undefined {
  const [line = "", ...fields] = text.replace(/\r\n\r\n$/, "").split("\r\n")
  const [, method, path] = /^([A-Z]{1,20}) (\/[!-~]*) HTTP\/1\.1$/.exec(line) ?? []
  if (method === undefined || path === undefined) return undefined
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (const field of fields) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(field) ?? []
    if (name === undefined || value === undefined || /[\0\r\n]/.test(value)) return undefined
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`
  }
  return { method, path, headers }
}

/** The words of a list header, as they are. Pure. */
export function wordsOf(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "")
}

/** An answer without a body, or with a line of text. Pure. */
export function answerHead(
  status: number,
  reason: string,
  headers: Readonly<Record<string, string>>,
  text = "",
): string {
  const all =
    status === 101 ? headers : { ...headers, "Content-Length": `${Buffer.byteLength(text)}`, Connection: "close" }
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${reason}\r\n${fields.join("")}\r\n${text}`
}
