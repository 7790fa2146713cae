import { posix } from "node:path"
import type { CopyPlace } from "../container/container.ts"

/** A word that begins as a path is one, with a colon in it, too. */
export function placeOf(text: string): CopyPlace | "-" {
  if (text === "-") return "-"
  const colon = text.indexOf(":")
  if (colon > 0 && !/^[./]/.test(text)) return { container: text.slice(0, colon), path: text.slice(colon + 1) }
  // how it ends tells what is meant: resolve() would take that away
  const end = /(?:^|\/)\.?$/.exec(text)?.[0] ?? ""
  return { hostPath: `${posix.resolve(text)}${end === "." ? "/." : end}` }
}
