import { InvalidArgument } from "../base/errors.ts"
import { shownName } from "../sys/fs/raw-name.ts"

/** Where an entry of a layer goes: both parts raw; the directory is "" for the root, the name is "" for the root itself. */
export interface LayerPath {
  directory: string
  name: string
}

/** What an entry's name means in a layer. */
export type LayerName =
  | { kind: "file"; path: LayerPath }
  | { kind: "whiteout"; path: LayerPath }
  /** `directory` hides what lower layers have there. */
  | { kind: "opaque"; directory: string }
  /** aufs's own, of old images. */
  | { kind: "ignored" }

const WHITEOUT = ".wh."
const OPAQUE = ".wh..wh..opq"
const WHITEOUT_META = ".wh..wh."

/**
 * Reads an entry's name (image-spec layer.md#whiteouts). Leading slashes, `.` and double slashes count for nothing;
 * `..` is refused, as are whiteouts of no file's name. Throws InvalidArgument.
 */
export function parseLayerName(name: string): LayerName {
  const path = parseLayerPath(name)
  // almost every name ends here
  if (!name.includes(WHITEOUT)) return { kind: "file", path }
  if (path.directory.startsWith(WHITEOUT) || path.directory.includes(`/${WHITEOUT}`))
    throw new InvalidArgument(`the layer has a directory ${shownName(path.directory)}: names with .wh. are whiteouts`)
  if (path.name === OPAQUE) return { kind: "opaque", directory: path.directory }
  if (path.name.startsWith(WHITEOUT_META)) return { kind: "ignored" }
  if (!path.name.startsWith(WHITEOUT)) return { kind: "file", path }
  const hidden = path.name.slice(WHITEOUT.length)
  if (hidden === "" || hidden === "." || hidden === "..")
    throw new InvalidArgument(`the layer has the whiteout ${shownName(name)}, which hides no file's name`)
  return { kind: "whiteout", path: { directory: path.directory, name: hidden } }
}

/** Takes a name apart. Throws InvalidArgument on `..`, which no layer needs. */
export function parseLayerPath(name: string): LayerPath {
  const clean = isClean(name) ? name : cleaned(name)
  const cut = clean.lastIndexOf("/")
  const base = clean.slice(cut + 1)
  if (base.length > 255) throw new InvalidArgument(`the archive has a name of ${base.length} bytes: ${shownName(base)}`)
  return { directory: cut < 0 ? "" : clean.slice(0, cut), name: base }
}

/** Whether there is nothing to take out: no `.`, `..` or empty part. */
function isClean(name: string): boolean {
  return !/(^|\/)\.{0,2}(\/|$)/.test(name)
}

function cleaned(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".")
  if (parts.includes(".."))
    throw new InvalidArgument(`the archive has the name ${shownName(name)}, which could lead outside`, {
      hint: "the image is broken or hostile",
    })
  return parts.join("/")
}
