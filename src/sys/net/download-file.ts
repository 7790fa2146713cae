import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { Unavailable } from "../../base/errors.ts"
import { download, shownAddress } from "./download.ts"

/** What became of a file. */
export type Downloaded = "new" | "unchanged"

/** By which its server knows a state of a document again (RFC 9110, 8.8): `etag`, or `last-modified`. */
interface Validator {
  etag?: string
  lastModified?: string
}

/**
 * Brings what lies at an http or https address to `path`, whole or not at all. A download that was cut goes on where it stopped, and what
 * has not changed since the last one is not sent again, where the server can do that. Throws as `download`.
 */
export async function downloadFile(address: string, path: string, signal?: AbortSignal): Promise<Downloaded> {
  const part = `${path}.part`
  const [known, begun] = [existsSync(path) ? readValidator(path) : undefined, readValidator(part)]
  const done = await attempt(begun)
  if (done !== "elsewhere") return done
  // the server cannot go on from there
  rmSync(part, { force: true })
  const again = await attempt(undefined)
  if (again === "elsewhere")
    throw new Unavailable(`the server of "${shownAddress(address)}" says that it ends before its begin`)
  return again

  async function attempt(from: Validator | undefined): Promise<Downloaded | "elsewhere"> {
    const offset = from === undefined ? 0 : (statSync(part, { throwIfNoEntry: false })?.size ?? 0)
    let [status, fd] = [0, -1]
    const bytes = download(address, {
      ...(signal === undefined ? {} : { signal }),
      headers: offset > 0 && from !== undefined ? rangeHeaders(offset, from) : conditionHeaders(known),
      accepts: [304, 416],
      onResponse: (response) => {
        status = response.status
        if (status !== 200 && status !== 206) return
        // 200: another state, or a server that knows no ranges
        fd = openSync(part, status === 206 ? "a" : "w", 0o600)
        if (status === 200) writeValidator(part, response.headers)
      },
    })
    try {
      for await (const chunk of bytes)
        for (let written = 0; written < chunk.length;) written += writeSync(fd, chunk, written)
    } finally {
      if (fd >= 0) closeSync(fd)
    }
    if (status === 416) return "elsewhere"
    if (status === 304) {
      utimesSync(path, new Date(), new Date())
      return "unchanged"
    }
    renameSync(part, path)
    if (existsSync(validatorOf(part))) renameSync(validatorOf(part), validatorOf(path))
    else rmSync(validatorOf(path), { force: true })
    return "new"
  }
}

function validatorOf(path: string): string {
  return `${path}.validator`
}

function readValidator(path: string): Validator | undefined {
  try {
    const { etag, lastModified } = JSON.parse(readFileSync(validatorOf(path), "utf8")) as Validator
    if (typeof etag !== "string" && typeof lastModified !== "string") return undefined
    return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) }
  } catch {
    return undefined
  }
}

function writeValidator(path: string, headers: Headers): void {
  const [etag, lastModified] = [headers.get("etag"), headers.get("last-modified")]
  if (etag === null && lastModified === null) return rmSync(validatorOf(path), { force: true })
  const validator = { ...(etag === null ? {} : { etag }), ...(lastModified === null ? {} : { lastModified }) }
  writeFileSync(validatorOf(path), JSON.stringify(validator), { mode: 0o600 })
}

/** RFC 9110, 13.1.5: only a strong validator says that the parts are of one document. */
function rangeHeaders(offset: number, { etag, lastModified }: Validator): Record<string, string> {
  const is = etag !== undefined && !etag.startsWith("W/") ? etag : lastModified
  return is === undefined ? {} : { range: `bytes=${offset}-`, "if-range": is }
}

function conditionHeaders(known: Validator | undefined): Record<string, string> {
  if (known?.etag !== undefined) return { "if-none-match": known.etag }
  return known?.lastModified === undefined ? {} : { "if-modified-since": known.lastModified }
}
