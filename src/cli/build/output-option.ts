import { resolve } from "node:path"
import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import type { BuildOutput } from "../../build/build.ts"
import { parseFields } from "../../spec/docker/csv.ts"
import { parseKeyValue } from "../../spec/docker/environment.ts"
import { readBoolean } from "../flag.ts"

/** What one `--output` asks for. Some of its keys concern the whole image, not only where it goes. */
export interface OutputOption {
  /** Empty for `type=cacheonly`. */
  outputs: readonly BuildOutput[]
  names: readonly string[]
  annotations: Readonly<Record<string, string>>
  format?: "oci" | "docker"
  rewriteTimes?: boolean
}

const STANDARD_OUTPUT = 1
const TYPES = ["image", "registry", "local", "tar", "oci", "docker", "cacheonly"] as const
type OutputType = (typeof TYPES)[number]

/** `-o DIR`, `-o -`, `-o type=TYPE,KEY=VALUE…` as buildx reads it. Throws InvalidArgument. */
export function readOutput(text: string): OutputOption {
  if (text === "-") return only({ type: "tar", path: STANDARD_OUTPUT })
  if (!text.includes("=")) return only({ type: "local", path: resolve(text) })
  const fields = parseFields(text, "output")
  const type = readType(fields.get("type"))
  const dest = fields.get("dest")
  const draft: Draft = { names: [], annotations: {}, push: false }
  for (const [key, value] of fields) if (key !== "type" && key !== "dest") readField(draft, type, key, value ?? "true")
  const { push, compression, ...option } = draft
  return { ...option, outputs: outputsOf(type, dest, push, compression) }
}

function only(output: BuildOutput): OutputOption {
  return { outputs: [output], names: [], annotations: {} }
}

function readType(text: string | undefined): OutputType {
  const found = TYPES.find((type) => type === text)
  if (found === undefined)
    throw new InvalidArgument(text === undefined ? "type is required for output" : `unknown output type "${text}"`, {
      hint: `known: ${TYPES.join(", ")}`,
    })
  return found
}

interface Draft {
  names: string[]
  annotations: Record<string, string>
  push: boolean
  compression?: "uncompressed" | "gzip" | "zstd"
  format?: "oci" | "docker"
  rewriteTimes?: boolean
}

function readField(draft: Draft, type: OutputType, key: string, value: string): void {
  if (key.startsWith("annotation.")) {
    draft.annotations[key.slice("annotation.".length)] = value
    return
  }
  switch (key) {
    case "name":
      draft.names.push(...value.split(","))
      return
    case "push":
      draft.push = readBoolean(value)
      return
    case "oci-mediatypes":
      draft.format = readBoolean(value) ? "oci" : "docker"
      return
    case "rewrite-timestamp":
      draft.rewriteTimes = readBoolean(value)
      return
    case "compression":
      draft.compression = readCompression(type, value)
      return
    case "store":
    case "unpack":
    case "tar":
      // these are so already: an image is stored, its layers lie extracted, an archive is one file
      if (readBoolean(value)) return
      throw new Unsupported(`output with ${key}=false is not built yet`)
    default:
      throw new InvalidArgument(`unknown key "${key}" of output type ${type}`)
  }
}

function readCompression(type: OutputType, value: string): "uncompressed" | "gzip" | "zstd" {
  if (type !== "docker" && type !== "oci") throw new Unsupported(`compression of output type ${type} is not built yet`)
  if (value !== "uncompressed" && value !== "gzip" && value !== "zstd")
    throw new InvalidArgument(`unsupported compression "${value}"`, { hint: "known: uncompressed, gzip, zstd" })
  return value
}

function outputsOf(
  type: OutputType,
  dest: string | undefined,
  push: boolean,
  compression: Draft["compression"],
): BuildOutput[] {
  const path = dest === "-" ? STANDARD_OUTPUT : dest === undefined || dest === "" ? undefined : resolve(dest)
  if (push && type !== "image" && type !== "registry") throw new InvalidArgument(`push is not for output type ${type}`)
  switch (type) {
    case "cacheonly":
      return []
    case "image":
      return push ? [{ type: "image" }, { type: "registry" }] : [{ type: "image" }]
    case "registry":
      return [{ type: "image" }, { type: "registry" }]
    case "local":
      if (typeof path !== "string") throw new InvalidArgument("dest is required for local output: dest=FOLDER")
      return [{ type: "local", path }]
    case "tar":
      return [{ type: "tar", path: path ?? STANDARD_OUTPUT }]
    case "docker":
      // buildx: without dest, it is loaded
      if (path === undefined) return [{ type: "image" }]
      return [{ type: "docker", path, ...(compression === undefined ? {} : { compression }) }]
    case "oci":
      return [{ type: "oci", path: path ?? STANDARD_OUTPUT, ...(compression === undefined ? {} : { compression }) }]
  }
}

/** `--annotation [manifest:]KEY=VALUE`. Throws InvalidArgument; Unsupported for those of an index or of a platform. */
export function readAnnotation(text: string): [key: string, value: string] {
  const [, where, rest = text] = /^([a-z-]+(?:\[[^\]]*\])?(?:,[a-z-]+)*):(.*)$/s.exec(text) ?? []
  if (where !== undefined && where !== "manifest") throw new Unsupported(`annotations of "${where}" are not built yet`)
  return parseKeyValue(rest)
}
