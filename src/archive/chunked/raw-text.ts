import { Unsupported } from "../../base/errors.ts"
import { shownName } from "../../sys/fs/raw-name.ts"

/** A raw name (one char a byte) as JSON can hold it. Throws Unsupported where it is no UTF-8: no table of contents has such a file. */
export function rawText(raw: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(raw)) return raw
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(raw, "latin1"))
  } catch {
    throw new Unsupported(`the name ${shownName(raw)} is no UTF-8, as a table of contents needs it`)
  }
}
