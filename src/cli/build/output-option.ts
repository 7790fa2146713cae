import { resolve } from "node:path"
import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import type { BuildOutput, ImageAnnotation } from "../../build/build.ts"
import type { LayerForm } from "../../image/image.ts"
import { parseFields } from "../../spec/docker/csv.ts"
import { readBoolean } from "../../spec/docker/boolean.ts"
import { readAnnotationKey } from "./annotation-option.ts"

/** What one `--output` asks for. Some of its keys concern the whole image, not only where it goes. */
export interface OutputOption {
  /** Empty for `type=cacheonly`. */
  outputs: readonly BuildOutput[]
  names: readonly string[]
  annotations: readonly ImageAnnotation[]
  format?: "oci" | "docker"
  rewriteTimes?: boolean
}

const STANDARD_OUTPUT = 1
const TYPES = ["image", "registry", "local", "tar", "oci", "docker", "cacheonly"] as const
type OutputType = (typeof TYPES)[number]

/** `-o DIR`, `-o -`, `-o type=TYPE,KEY=VALUE…` as buildx reads it. Throws InvalidArgument, Unsupported. */
export function readOutput(text: string): OutputOption {
  if (text === "-") return only({ type: "tar", path: STANDARD_OUTPUT })
  if (!text.includes("=")) return only({ type: "local", path: resolve(text) })
  const fields = parseFields(text, "output")
  const type = readType(fields.get("type"))
  const draft: Draft = { names: [], annotations: [], push: type === "registry", store: true }
  for (const [key, value] of fields) if (key !== "type" && key !== "dest") readField(draft, type, key, value ?? "true")
  const { names, annotations, format, rewriteTimes } = draft
  return {
    names,
    annotations,
    ...(format === undefined ? {} : { format }),
    ...(rewriteTimes === undefined ? {} : { rewriteTimes }),
    outputs: outputsOf(type, fields.get("dest"), draft),
  }
}

function only(output: BuildOutput): OutputOption {
  return { outputs: [output], names: [], annotations: [] }
}

function readType(text: string | undefined): OutputType {
  const found = TYPES.find((type) => type === text)
  if (found === undefined)
    throw new InvalidArgument(text === undefined ? "type is required for output" : `unknown output type "${text}"`, {
      hint: `valid: ${TYPES.join(", ")}`,
    })
  return found
}

interface Draft {
  names: string[]
  annotations: ImageAnnotation[]
  push: boolean
  store: boolean
  byDigest?: boolean
  compression?: LayerForm["compression"]
  level?: number
  force?: boolean
  format?: "oci" | "docker"
  rewriteTimes?: boolean
  split?: boolean
  attestationPrefix?: string
  tar?: boolean
}

interface Key {
  /** The types that it is for. */
  types: readonly OutputType[]
  read(draft: Draft, value: string): void
}

const STORE: readonly OutputType[] = ["image", "registry"]
const LAYOUT: readonly OutputType[] = ["image", "registry", "oci", "docker"]
const FILES: readonly OutputType[] = ["local", "tar"]

const KEYS: Readonly<Record<string, Key>> = {
  name: { types: LAYOUT, read: (draft, value) => draft.names.push(...value.split(",")) },
  push: { types: STORE, read: (draft, value) => (draft.push = readBoolean(value)) },
  store: { types: STORE, read: (draft, value) => (draft.store = readBoolean(value)) },
  "push-by-digest": { types: STORE, read: (draft, value) => (draft.byDigest = readBoolean(value)) },
  "oci-mediatypes": { types: LAYOUT, read: (draft, value) => (draft.format = readBoolean(value) ? "oci" : "docker") },
  compression: { types: LAYOUT, read: (draft, value) => (draft.compression = readCompression(value)) },
  "compression-level": { types: LAYOUT, read: (draft, value) => (draft.level = readLevel(value)) },
  "force-compression": { types: LAYOUT, read: (draft, value) => (draft.force = readBoolean(value)) },
  "rewrite-timestamp": { types: TYPES, read: (draft, value) => (draft.rewriteTimes = readBoolean(value)) },
  tar: { types: ["oci", "docker"], read: (draft, value) => (draft.tar = readBoolean(value)) },
  "platform-split": { types: FILES, read: (draft, value) => (draft.split = readBoolean(value)) },
  "attestation-prefix": { types: FILES, read: (draft, value) => (draft.attestationPrefix = readPrefix(value)) },
  // so it is already: layers lie extracted, what was pushed is known by its digest, an attestation is an artifact
  unpack: { types: STORE, read: (_, value) => onlyYes("unpack", value) },
  "name-canonical": { types: STORE, read: (_, value) => readBoolean(value) },
  "oci-artifact": { types: ["image", "registry", "oci"], read: (_, value) => onlyYes("oci-artifact", value) },
}

function onlyYes(key: string, value: string): void {
  if (!readBoolean(value)) throw new Unsupported(`output with ${key}=false is not supported yet`)
}

function readField(draft: Draft, type: OutputType, key: string, value: string): void {
  const annotation = readAnnotationKey(key)
  if (annotation !== undefined) {
    draft.annotations.push({ ...annotation, value })
    return
  }
  const known = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined
  if (!known?.types.includes(type)) throw new InvalidArgument(`unknown key "${key}" of output type ${type}`)
  known.read(draft, value)
}

function readCompression(value: string): LayerForm["compression"] {
  if (value === "uncompressed") return "none"
  if (value === "gzip" || value === "zstd" || value === "zstd:chunked" || value === "estargz") return value
  throw new InvalidArgument(`unsupported compression "${value}"`, {
    hint: "valid: uncompressed, gzip, zstd, estargz, zstd:chunked",
  })
}

function readLevel(value: string): number {
  if (!/^\d{1,2}$/.test(value)) throw new InvalidArgument(`invalid compression-level "${value}"`)
  return Number(value)
}

function readPrefix(value: string): string {
  if (value.includes("/") || value.includes("\0"))
    throw new InvalidArgument(`attestation-prefix is the beginning of a file's name, not "${value}"`)
  return value
}

/** The greatest level: zlib's manual, zstd's (without `--ultra`'s memory there is no reason to stop at 19). */
const MAX_LEVELS = { none: 0, gzip: 9, estargz: 9, zstd: 22, "zstd:chunked": 22 } as const

function formOf({ compression, level, force }: Draft): { form?: LayerForm } {
  if (compression === undefined && level === undefined && force === undefined) return {}
  const form: LayerForm = { compression: compression ?? "gzip" }
  if (level !== undefined) {
    if (level > MAX_LEVELS[form.compression])
      throw new InvalidArgument(`compression-level ${level} is too high`, {
        hint: `${compression ?? "gzip"} knows up to ${MAX_LEVELS[form.compression]}`,
      })
    form.level = level
  }
  if (force) form.every = true
  return { form }
}

function outputsOf(type: OutputType, dest: string | undefined, draft: Draft): BuildOutput[] {
  const path = dest === "-" ? STANDARD_OUTPUT : dest === undefined || dest === "" ? undefined : resolve(dest)
  const { push, store, byDigest, split, attestationPrefix } = draft
  const beside = {
    ...(split === undefined ? {} : { split }),
    ...(attestationPrefix === undefined ? {} : { attestationPrefix }),
  }
  switch (type) {
    case "cacheonly":
      return []
    case "image":
    case "registry":
      return [
        ...(store ? [{ type: "image" } as const] : []),
        ...(push ? [{ type: "registry", ...formOf(draft), ...(byDigest ? { byDigest } : {}) } as const] : []),
      ]
    case "local":
      if (typeof path !== "string") throw new InvalidArgument("dest is required for local output: dest=DIRECTORY")
      return [{ type: "local", path, ...beside }]
    case "tar":
      return [{ type: "tar", path: path ?? STANDARD_OUTPUT, ...beside }]
    case "docker":
      // buildx: without dest, it is loaded
      if (path === undefined) return [{ type: "image" }]
      if ((draft.compression ?? "none") !== "none" || draft.level !== undefined)
        throw new Unsupported("the layers of output type docker are not compressed", {
          hint: "compress the archive, or use type=oci",
        })
      if (draft.tar === false)
        throw new Unsupported("output type docker is one file", { hint: "use type=oci,tar=false" })
      return [{ type: "docker", path }]
    case "oci":
      if (draft.tar === false) {
        if (typeof path !== "string") throw new InvalidArgument("dest is required for tar=false: dest=DIRECTORY")
        return [{ type: "oci-directory", path, ...formOf(draft) }]
      }
      return [{ type: "oci", path: path ?? STANDARD_OUTPUT, ...formOf(draft) }]
  }
}
