/**
 * The document of a cache: which keys lead to which layers. It is the config of an artifact whose layers are ordinary layer
 * blobs, or a field of an image's config (inline). `docs/design/006-build-cache-elsewhere.md` has the whole form.
 */
import * as v from "valibot"
import { DataLoss } from "../../base/errors.ts"
import { isDigest, type DiffId } from "../../spec/digest.ts"
import { checkDocument } from "../../spec/parse-document.ts"

/** Of the document that says which layer belongs to which key. */
export const CACHE_MEDIA_TYPE = "application/vnd.skiff.build-cache.v1+json"
/** In an image's config, as buildkit's `moby.buildkit.cache.v0`. */
export const INLINE_FIELD = "skiff.build-cache.v1"
/** Buildkit's own, whose keys say nothing to us. */
export const BUILDKIT_MEDIA_TYPE = "application/vnd.buildkit.cacheconfig.v0"

/** A larger document is refused before it is parsed. */
export const MAX_MAP_BYTES = 8 * 1024 ** 2
/** A document of more JSON values is refused before anything is made of it. */
export const MAX_MAP_VALUES = 1_000_000
const MAX_STEPS = 10_000
const MAX_DEPTH = 500
const MAX_MOUNTS = 1_000
const MAX_OF_STEP = 1_000

/** Which step has which layer. */
export interface CacheMap {
  /** Of the manifest's layers, in their order. Inline: none, the image's config has them. */
  layers: readonly DiffId[]
  /** Each after the one it stands on. */
  steps: readonly MapStep[]
  mounts: readonly MapMount[]
}

/** A step with the keys that it is found by. */
export interface MapStep {
  keys: readonly string[]
  /** Index of the step below; absent: the base is. */
  parent?: number | undefined
  /** Index of its layer. */
  layer: number
  slot: string
  description: string
  parts: readonly (readonly [label: string, digest: string])[]
  /** Milliseconds after 1970: the image's history has it. */
  created: number
}

/** What a `--mount=type=cache` held: a layer without whiteouts, and the attributes of its root. */
export interface MapMount {
  key: string
  layer: number
  mode: number
  uid: number
  gid: number
}

const index = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const hex = (digits: number) =>
  v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${digits}}$`), `expected ${digits} hex digits`))
// it comes to a terminal by --explain-cache and builder du
const shown = v.pipe(
  v.string(),
  v.maxLength(10_000),
  // oxlint-disable-next-line no-control-regex
  v.transform((text) => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ")),
)

const id = v.pipe(index, v.maxValue(2 ** 32 - 2))

const mapSchema = v.object({
  layers: v.array(v.custom<DiffId>(isDigest, "expected sha256:<64 hex digits>")),
  steps: v.pipe(
    v.array(
      v.object({
        keys: v.pipe(v.array(hex(64)), v.maxLength(MAX_OF_STEP)),
        parent: v.optional(index),
        layer: index,
        slot: shown,
        description: shown,
        parts: v.pipe(v.array(v.tuple([shown, hex(32)])), v.minLength(1), v.maxLength(MAX_OF_STEP)),
        created: v.pipe(index, v.maxValue(8.64e15)),
      }),
    ),
    v.maxLength(MAX_STEPS, `more than ${MAX_STEPS} steps`),
  ),
  mounts: v.pipe(
    v.array(v.object({ key: hex(64), layer: index, mode: v.pipe(index, v.maxValue(0o7777)), uid: id, gid: id })),
    v.maxLength(MAX_MOUNTS, `more than ${MAX_MOUNTS} cache mounts`),
  ),
})

/** Reads a map that came from outside: every index in it leads somewhere. Throws DataLoss; `what` names it in the message. */
export function parseCacheMap(document: unknown, layerCount: number, what: string): CacheMap {
  const map = checkDocument(mapSchema, document, what)
  const depths: number[] = []
  for (const [at, { parent, layer }] of map.steps.entries()) {
    if (parent !== undefined && parent >= at)
      throw broken(what, `step ${at} depends on step ${parent}, which comes later`)
    const depth = parent === undefined ? 1 : (depths[parent] ?? 0) + 1
    if (depth > MAX_DEPTH) throw broken(what, `more than ${MAX_DEPTH} steps depend on each other`)
    depths.push(depth)
    if (layer >= layerCount) throw broken(what, `step ${at} has layer ${layer} of ${layerCount}`)
  }
  for (const { layer } of map.mounts)
    if (layer >= layerCount) throw broken(what, `a cache mount has layer ${layer} of ${layerCount}`)
  return map
}

function broken(what: string, why: string): DataLoss {
  return new DataLoss(`invalid ${what}: ${why}`, { hint: "do not trust this cache" })
}
