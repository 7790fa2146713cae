import type { FileHandle } from "node:fs/promises"
import type { Bytes } from "../base/bytes.ts"
import { DataLoss, InvalidArgument, NotFound } from "../base/errors.ts"
import { readChunks } from "../base/read-chunks.ts"
import { rawName, shownName } from "../sys/fs/raw-name.ts"
import { parseLayerPath } from "./layer-path.ts"
import type { TarEntry, TarSink } from "./tar-entry.ts"
import { TarReader } from "./tar-reader.ts"

/** Read at once to find headers, which lie far apart or close together. */
const HEAD_BYTES = 32 * 1024
/** An archive of images has a few files a layer. */
const MAX_ENTRIES = 20_000
/** docker before 25 links equal layers to each other, podman its older names to the newer. */
const MAX_LINKS = 8

/** Which part of a file is read, and how. */
export interface ReadFileOptions {
  /** Not further than here. */
  end?: number
  /** Each chunk is overwritten once the next is asked for. */
  reuse?: boolean
}

/** Named files to be read: those of an archive, or of a directory. Names are relative, `/` between. */
export interface ArchiveFiles extends AsyncDisposable {
  has(name: string): boolean
  /** Bytes. Throws NotFound. */
  size(name: string): number
  /** From `offset` on. Throws NotFound, DataLoss. */
  read(name: string, offset?: number, options?: ReadFileOptions): Bytes
}

/** Those of an archive. */
export interface IndexedArchive extends ArchiveFiles {
  /** Raw, of files and links. */
  names(): Iterable<string>
}

type Location = { kind: "file"; offset: number; size: number } | { kind: "link"; target: string }

/**
 * The files of an uncompressed tar archive, found in one pass and read where they lie: nothing is unpacked, so no name in it
 * can lead anywhere. Links are followed within the archive. Throws DataLoss when it is truncated; InvalidArgument on `..`,
 * on two files of one name, of which another reader may take the other, and beyond the caps. `file` is closed by the
 * disposal, or by the failure.
 */
export async function indexArchive(file: FileHandle): Promise<IndexedArchive> {
  const index = new ArchiveIndex()
  try {
    await index.read(file)
  } catch (cause) {
    await file.close()
    if (index.entries > 0) throw cause
    throw new InvalidArgument("this is no tar archive", { cause })
  }
  return new TarFiles(file, index.locations)
}

/** Receives what the archive has; keeps where it lies. */
class ArchiveIndex implements TarSink {
  readonly locations = new Map<string, Location>()
  readonly reader = new TarReader(this)
  entries = 0

  /** Headers alone: what files hold is passed over. */
  async read(file: FileHandle): Promise<void> {
    const { size } = await file.stat()
    const buffer = Buffer.allocUnsafe(HEAD_BYTES)
    let at = 0
    while (at < size) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) break
      this.reader.write(buffer.subarray(0, bytesRead))
      at += bytesRead + this.reader.passOver()
    }
    if (at > size) throw new DataLoss("the tar archive is truncated", { hint: "fetch it again" })
    this.reader.finish()
  }

  entry(entry: TarEntry): void {
    if (++this.entries > MAX_ENTRIES)
      throw new InvalidArgument(`the archive has more than ${MAX_ENTRIES} files`, {
        hint: ["an archive of images has a few", { do: "importRootfs" }],
      })
    const location = locationOf(entry, this.reader.dataOffset)
    if (location === undefined) return
    const name = nameOf(entry.name)
    if (this.locations.has(name))
      throw new InvalidArgument(`the archive has two files ${shownName(name)}`, { hint: "do not trust this archive" })
    this.locations.set(name, location)
  }

  data(): void {}
  end(): void {}
}

function locationOf(entry: TarEntry, offset: number): Location | undefined {
  const { type, name, linkName, sizeBytes } = entry
  if (type === "symlink") {
    const directory = name.includes("/") ? name.slice(0, name.lastIndexOf("/") + 1) : ""
    return { kind: "link", target: linkName.startsWith("/") ? linkName : `${directory}${linkName}` }
  }
  if (type === "hardlink") return { kind: "link", target: linkName }
  if (type !== "file") return undefined
  if (entry.isSparse) throw new InvalidArgument(`the archive has the sparse file ${shownName(name)}`)
  return { kind: "file", offset, size: sizeBytes }
}

/** The one form of a name: without `.`. Throws InvalidArgument on `..`. */
function nameOf(name: string): string {
  const path = parseLayerPath(name)
  return path.directory === "" ? path.name : `${path.directory}/${path.name}`
}

/** A link's target: `..` within the archive is what docker writes. Throws InvalidArgument when it leads out. */
function targetOf(link: string, target: string): string {
  const parts: string[] = []
  for (const part of target.split("/")) {
    if (part === "" || part === ".") continue
    if (part !== "..") parts.push(part)
    else if (parts.pop() === undefined)
      throw new InvalidArgument(`the archive links ${shownName(link)} to ${shownName(target)}, outside of it`)
  }
  return parts.join("/")
}

class TarFiles implements IndexedArchive {
  readonly #file: FileHandle
  readonly #locations: ReadonlyMap<string, Location>

  constructor(file: FileHandle, locations: ReadonlyMap<string, Location>) {
    this.#file = file
    this.#locations = locations
  }

  names(): Iterable<string> {
    return this.#locations.keys()
  }

  has(name: string): boolean {
    return this.#find(rawName(name)) !== undefined
  }

  size(name: string): number {
    return this.#get(name).size
  }

  async *read(name: string, offset = 0, { end = Infinity, reuse }: ReadFileOptions = {}): Bytes {
    const { offset: start, size } = this.#get(name)
    const last = Math.min(end, size)
    let read = Math.min(offset, last)
    for await (const chunk of readChunks(this.#file, { start: start + read, end: start + last, reuse })) {
      read += chunk.length
      yield chunk
    }
    if (read < last) throw new DataLoss(`the archive was cut while ${shownName(name)} was read`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }

  #get(name: string): Location & { kind: "file" } {
    const location = this.#find(rawName(name))
    if (location === undefined) throw new NotFound(`the archive has no file ${shownName(name)}`)
    return location
  }

  #find(name: string): (Location & { kind: "file" }) | undefined {
    let at = name
    for (let links = 0; links <= MAX_LINKS; links++) {
      const location = this.#locations.get(at)
      if (location === undefined || location.kind === "file") return location
      at = targetOf(at, location.target)
    }
    throw new InvalidArgument(`the archive links ${shownName(name)} more than ${MAX_LINKS} times`)
  }
}
