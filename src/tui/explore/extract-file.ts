import { open, rm, stat } from "node:fs/promises"
import { resolve } from "node:path"
import { AlreadyExists, hasErrno, NotFound } from "../../base/errors.ts"
import type { ExploredImage } from "../../explore/explore.ts"
import { shownName } from "../../sys/fs/raw-name.ts"
import type { FilePlace } from "./page.ts"

/** Which file goes where. */
export interface Extraction {
  place: FilePlace
  mode: number
  /** As it was typed: a path of a new file, or of a directory that is there. */
  to: string
}

/**
 * Writes a file of an image into a new file: nothing that is there is written over, and no link is followed at its end. The set-id bits
 * stay behind. Throws AlreadyExists, NotFound.
 */
export async function extractFile(
  image: ExploredImage,
  { place, mode, to }: Extraction,
  directory: string,
  signal: AbortSignal,
): Promise<{ to: string; sizeBytes: number }> {
  const name = place.path.split("/").at(-1) ?? ""
  const wanted = resolve(directory, to)
  const isDirectory = (await stat(wanted).catch(() => undefined))?.isDirectory() ?? false
  // names are bytes
  const path = isDirectory
    ? Buffer.concat([Buffer.from(`${wanted.replace(/\/$/, "")}/`, "utf8"), Buffer.from(name, "latin1")])
    : Buffer.from(wanted, "utf8")
  const shown = shownName(path.toString("latin1"))
  const file = await open(path, "wx", mode & 0o777).catch((error: unknown) => {
    if (hasErrno(error, "EEXIST")) throw new AlreadyExists(`${shown} is there already: nothing is written over it`)
    if (hasErrno(error, "ENOENT", "ENOTDIR")) throw new NotFound(`no directory for ${shown}`)
    throw error
  })
  let sizeBytes = 0
  try {
    for await (const chunk of image.stream(place.layer, place.path, { signal })) {
      await file.writeFile(chunk)
      sizeBytes += chunk.length
    }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
  return { to: shown, sizeBytes }
}
