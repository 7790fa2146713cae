/**
 * The store of podman, buildah and CRI-O (github.com/containers/storage), read and never changed. Its documents are replaced by
 * renaming, so that what is read is whole; what somebody removes meanwhile is missed when it is read.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as v from "valibot"
import { DataLoss, hasErrno, InvalidArgument, NotFound } from "../../base/errors.ts"
import { isDigest, type DiffId } from "../../spec/digest.ts"
import { absent, checkDocument, parseJson } from "../../spec/parse-document.ts"
import { taggedName } from "../reference.ts"
import { findStore, type StoreLocation } from "./find-store.ts"
import type { StoreAddress } from "./store-address.ts"

/** An image there. */
export interface StoredImage {
  /** 64 hex digits: those of its config's digest. */
  id: string
  /** In full. */
  names: readonly string[]
  /** Of the manifest that it came with. */
  digest: string | undefined
  /** Undefined for an image without layers. */
  topLayer: string | undefined
}

/** A layer there. */
export interface StoredLayer {
  id: string
  parent: string | undefined
  /** Undefined where the store does not say. */
  diffId: DiffId | undefined
  /** Of the layer as tar; undefined where the store does not say. */
  size: number | undefined
}

/** What a store has. */
export interface PodmanStore {
  location: StoreLocation
  images: readonly StoredImage[]
  layers: ReadonlyMap<string, StoredLayer>
}

const MAX_DOCUMENT_BYTES = 256 * 1024 ** 2
const MAX_VALUES = 5_000_000
const MIN_PREFIX = 3

const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "is no id"))
const images = v.array(
  v.object({
    id: v.string(),
    digest: absent(v.string()),
    names: absent(v.array(v.string())),
    layer: absent(v.union([id, v.literal("")])),
  }),
)
const layers = v.array(
  v.object({
    id,
    parent: absent(v.union([id, v.literal("")])),
    "diff-digest": absent(v.string()),
    "diff-size": absent(v.number()),
  }),
)

/** Throws NotFound when there is none, PermissionDenied, DataLoss. */
export async function openPodmanStore(address: StoreAddress): Promise<PodmanStore> {
  const location = await findStore(address)
  const { graphRoot, driver } = location
  const found = checkDocument(images, read(join(graphRoot, `${driver}-images/images.json`)), "images.json")
  // containers/storage lists layers of images that are only mounted apart from the others
  const rows = ["layers.json", "volatile-layers.json"].flatMap((name) =>
    checkDocument(layers, read(join(graphRoot, `${driver}-layers`, name)), name),
  )
  return {
    location,
    images: found.map(({ names = [], layer, ...image }) => ({
      id: image.id,
      digest: image.digest,
      names,
      topLayer: layer || undefined,
    })),
    layers: new Map(
      rows.map((row) => {
        const diffId = row["diff-digest"] ?? ""
        const size = row["diff-size"] ?? 0
        const layer = { id: row.id, parent: row.parent || undefined }
        const known = { diffId: isDigest(diffId) ? (diffId as DiffId) : undefined, size: size > 0 ? size : undefined }
        return [row.id, { ...layer, ...known }]
      }),
    ),
  }
}

/** By name, id or the beginning of one. Throws NotFound, and InvalidArgument for what may mean several. */
export function findStoredImage({ images: all, location }: PodmanStore, word: string): StoredImage {
  const byId = /^(?:.*@)?(?:sha256:)?([0-9a-f]{64})$/.exec(word)?.[1]
  const names = byId === undefined ? namesOf(word) : []
  const isPrefix = byId === undefined && word.length >= MIN_PREFIX && /^[0-9a-f]+$/.test(word)
  const named = names.flatMap((name) => all.find((image) => image.names.includes(name)) ?? [])[0]
  const found = named
    ? [named]
    : all.filter(
        (image) =>
          image.id === byId ||
          (byId !== undefined && image.digest === `sha256:${byId}`) ||
          (isPrefix && image.id.startsWith(word)),
      )
  const [only, ...others] = found
  if (only === undefined)
    throw new NotFound(`no image "${word}" is in the store "${location.graphRoot}"`, {
      hint: { valid: all.flatMap((image) => image.names).slice(0, 20) },
    })
  if (others.length > 0) throw new InvalidArgument(`"${word}" may mean ${found.length} images: name more of its id`)
  return only
}

/** As podman looks for them: what is named without a registry may be of this machine. */
function namesOf(word: string): string[] {
  try {
    const name = taggedName(word)
    return /^[^/]*[.:][^/]*\/|^localhost\//.test(word)
      ? [name]
      : [`localhost/${word.includes(":") ? word : `${word}:latest`}`, name]
  } catch {
    return []
  }
}

/** An empty list where the file is not there. */
function read(path: string): unknown {
  const bytes = readWithin(path, MAX_DOCUMENT_BYTES)
  return bytes === undefined ? [] : parseJson(bytes, `"${path}"`, MAX_VALUES)
}

/** The bytes of a plain file; undefined where there is none. Throws DataLoss for a larger one, a link, a pipe: the store may be a stranger's. */
export function readWithin(path: string, maxBytes: number): Buffer | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    if (hasErrno(cause, "ENOENT", "ENOTDIR")) return undefined
    if (hasErrno(cause, "ELOOP", "ENXIO")) throw new DataLoss(`"${path}" is no regular file`, { cause })
    throw cause
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw new DataLoss(`"${path}" is no regular file`)
    if (stat.size > maxBytes) throw new DataLoss(`"${path}" has ${stat.size} bytes, the limit is ${maxBytes}`)
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}
