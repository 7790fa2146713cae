import { resolve } from "node:path"
import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import type { LayerForm } from "../../image/image.ts"
import { parseDigest, type Digest } from "../../spec/digest.ts"
import { parseFields } from "../../spec/docker/csv.ts"
import { readBoolean } from "../../spec/docker/boolean.ts"

/** `--cache-from`: a cache that a build wrote, here or on another machine. */
export type CacheSource =
  /** `names`: tried in this order, the first that is there is taken. */
  | { type: "registry"; names: readonly string[] }
  /** An OCI layout; its manifest by digest or tag. */
  | { type: "local"; path: string; tag: string; digest?: Digest }

/** `--cache-to`: where results of steps go, for the builds of other machines. */
export type CacheTarget =
  | ({ type: "registry"; name: string } & CacheForm)
  | ({ type: "local"; path: string; tag: string } & CacheForm)
  /** Into the config of the image itself, whose layers are the cache's. */
  | { type: "inline" }

/** How a cache is written. */
export interface CacheForm {
  /** `min`: the steps that the image is made of; `max`: those of all its stages. */
  mode: "min" | "max"
  layers: LayerForm
  /** As an image's manifest, or as an index of blobs, which some registries refuse. */
  document: "manifest" | "index"
  mediaTypes: "oci" | "docker"
  /** With what `RUN --mount=type=cache` keeps. */
  mounts: boolean
  /** A cache that cannot be written is a warning. */
  ignoreError: boolean
}

type Fields = Map<string, string | undefined>

const TYPES = ["registry", "local", "inline"] as const
/** Of services that hold caches for buildkit. */
const SERVICES = new Set(["gha", "s3", "azblob"])
/** The tag of a cache whose repository alone is named, as podman has it; images keep `latest`. */
const CACHE_TAG = "buildcache"

/**
 * `--cache-from`: buildx's `type=registry,ref=NAME` and `type=local,src=DIRECTORY[,tag=TAG|,digest=DIGEST]`, or a name alone
 * (docker: an image with a cache in it; podman: a repository). Throws InvalidArgument, Unsupported.
 */
export function readCacheSource(text: string): CacheSource {
  const fields = readFields(text)
  if (fields === undefined)
    return { type: "registry", names: hasTag(text) ? [text] : [`${text}:${CACHE_TAG}`, `${text}:latest`] }
  switch (readType(fields)) {
    case "inline":
      throw new InvalidArgument("a cache inside an image is read by the image's name", {
        hint: "type=registry,ref=IMAGE",
      })
    case "local": {
      allow(fields, "local", ["src", "tag", "digest"])
      const digest = fields.get("digest")
      const local = { type: "local", path: resolve(must(fields, "local", "src")), tag: tagOf(fields) } as const
      return digest === undefined ? local : { ...local, digest: parseDigest(digest) }
    }
    case "registry":
      allow(fields, "registry", ["ref"])
      return { type: "registry", names: [must(fields, "registry", "ref")] }
  }
}

/** `--cache-to`: as `--cache-from`, with how it is written. Throws InvalidArgument, Unsupported. */
export function readCacheTarget(text: string): CacheTarget {
  const fields = readFields(text)
  if (fields === undefined) {
    const form = formOf(new Map())
    return { type: "registry", name: hasTag(text) ? text : `${text}:${CACHE_TAG}`, ...form }
  }
  switch (readType(fields)) {
    case "inline":
      allow(fields, "inline", ["mode"])
      if (fields.get("mode") === "max")
        throw new InvalidArgument("a cache inside an image holds the image's own steps", {
          hint: "leave mode out, or export with type=registry,mode=max",
        })
      return { type: "inline" }
    case "local":
      allow(fields, "local", ["dest", "tag", ...FORM_KEYS])
      return { type: "local", path: resolve(must(fields, "local", "dest")), tag: tagOf(fields), ...formOf(fields) }
    case "registry":
      allow(fields, "registry", ["ref", ...FORM_KEYS])
      return { type: "registry", name: must(fields, "registry", "ref"), ...formOf(fields) }
  }
}

/** Undefined for a name alone. */
function readFields(text: string): Fields | undefined {
  if (text === "") throw new InvalidArgument("expected type=registry,ref=NAME, type=local,…, or a name")
  return /^[^,]*=/.test(text) ? parseFields(text, "cache") : undefined
}

function readType(fields: Fields): (typeof TYPES)[number] {
  const text = fields.get("type")
  const type = TYPES.find((each) => each === text)
  if (type !== undefined) return type
  if (text !== undefined && SERVICES.has(text))
    throw new Unsupported(`caches of type ${text} are not supported`, {
      hint: "use type=registry,ref=NAME, or type=local with a directory that your CI keeps",
    })
  throw new InvalidArgument(text === undefined ? "type is required for a cache" : `unknown cache type "${text}"`, {
    hint: `valid: ${TYPES.join(", ")}`,
  })
}

function allow(fields: Fields, type: string, keys: readonly string[]): void {
  for (const key of fields.keys())
    if (key !== "type" && !keys.includes(key))
      throw new InvalidArgument(`unknown key "${key}" of cache type ${type}`, {
        hint: keys.length === 0 ? "it has none" : `valid: ${keys.join(", ")}`,
      })
}

function must(fields: Fields, type: string, key: string): string {
  const value = fields.get(key)
  if (value) return value
  throw new InvalidArgument(`cache type ${type} needs ${key}=${key === "ref" ? "NAME" : "DIRECTORY"}`)
}

function tagOf(fields: Fields): string {
  const tag = fields.get("tag") || "latest"
  if (!/^\w[\w.-]{0,127}$/.test(tag)) throw new InvalidArgument(`invalid tag "${tag}" of a cache`)
  return tag
}

const FORM_KEYS = [
  "mode",
  "compression",
  "compression-level",
  "force-compression",
  "image-manifest",
  "oci-mediatypes",
  "cache-mounts",
  "ignore-error",
]

function formOf(fields: Fields): CacheForm {
  const mode = fields.get("mode") ?? "min"
  if (mode !== "min" && mode !== "max")
    throw new InvalidArgument(`unknown cache mode "${mode}"`, { hint: "valid: min, max" })
  const oci = booleanOf(fields, "oci-mediatypes", true)
  const isManifest = booleanOf(fields, "image-manifest", oci)
  // buildkit: Docker's manifest can be nothing but an image
  if (isManifest && !oci) throw new InvalidArgument("image-manifest=true needs oci-mediatypes=true")
  return {
    mode,
    layers: layersOf(fields),
    document: isManifest ? "manifest" : "index",
    mediaTypes: oci ? "oci" : "docker",
    mounts: booleanOf(fields, "cache-mounts", true),
    ignoreError: booleanOf(fields, "ignore-error", false),
  }
}

const LEVELS = { gzip: [0, 9], zstd: [1, 22] } as const

/** All layers of a cache are in the one form that is asked for: `force-compression` says nothing more. */
function layersOf(fields: Fields): LayerForm {
  booleanOf(fields, "force-compression", false)
  const compression = fields.get("compression") ?? "gzip"
  const level = fields.get("compression-level")
  if (compression === "uncompressed" && level === undefined) return { compression: "none" }
  if (compression !== "gzip" && compression !== "zstd")
    throw new InvalidArgument(`unsupported compression "${compression}" of a cache`, {
      hint: "valid: uncompressed, gzip, zstd",
    })
  if (level === undefined) return { compression }
  const [least, most] = LEVELS[compression]
  if (!/^\d{1,2}$/.test(level) || Number(level) < least || Number(level) > most)
    throw new InvalidArgument(`compression-level of ${compression} is a number from ${least} to ${most}`)
  return { compression, level: Number(level) }
}

function booleanOf(fields: Fields, key: string, initial: boolean): boolean {
  return fields.has(key) ? readBoolean(fields.get(key) ?? "true") : initial
}

/** Of an image's name: what follows the last `/`. */
function hasTag(name: string): boolean {
  return /[:@]/.test(name.slice(name.lastIndexOf("/") + 1))
}
