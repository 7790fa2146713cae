import { appendFileSync, existsSync, mkdirSync } from "node:fs"
import { dirname, isAbsolute, join, normalize } from "node:path"
import { createHash } from "node:crypto"
import { DataLoss, InvalidArgument, Unsupported } from "../../../base/errors.ts"
import { parseReference } from "../../../image/image.ts"
import type { Registries, RegistrySource, RemoteReference } from "../../../registry/registry.ts"
import type { Digest } from "../../../spec/digest.ts"
import type { Descriptor } from "../../../spec/oci-image.ts"
import { parseManifest } from "../../../spec/parse-manifest.ts"
import { MAX_FILE_BYTES } from "../read-file.ts"

const COMPOSE_FILE = "application/vnd.docker.compose.file+yaml"
const ENV_FILE = "application/vnd.docker.compose.envfile"
const [FILE, ENV, EXTENDED] = ["com.docker.compose.file", "com.docker.compose.envfile", "com.docker.compose.extends"]
const MAX_LAYERS = 100

/** A published project at a registry (docker compose 2.40, internal/oci/push.go: one layer a file). */
export interface ProjectArtifact {
  digest: Digest
  /** Its files: all compose files as documents of one `compose.yaml`, beside it what they extend and their env files. */
  write(directory: string): Promise<void>
}

/** Resolves `REF`. Throws NotFound, PermissionDenied, Unavailable, Unsupported for what is no compose project. */
export async function fetchArtifact(registries: Registries, name: string): Promise<ProjectArtifact> {
  const { registry, repository, tag, digest } = parseReference(name)
  const ref: RemoteReference = { registry, repository, ...(digest ? { digest } : { tag: tag ?? "latest" }) }
  const admission = await registries.admission({ transport: "docker", ref })
  const source = await registries.open({})
  const { descriptor, bytes } = await source.resolve(ref)
  await admission?.admit([descriptor.digest], source)
  const parsed = parseManifest(bytes, descriptor.mediaType, `manifest of ${name}`)
  if (parsed.kind === "index") throw new Unsupported(`${name} is an image of several platforms, not a compose project`)
  const layers = parsed.manifest.layers.filter(({ mediaType }) => mediaType === COMPOSE_FILE || mediaType === ENV_FILE)
  if (!layers.some(({ mediaType }) => mediaType === COMPOSE_FILE))
    throw new Unsupported(`${name} is not a compose project: it has no layer of type ${COMPOSE_FILE}`)
  if (layers.length > MAX_LAYERS)
    throw new InvalidArgument(`${name} has ${layers.length} files, the limit is ${MAX_LAYERS}`)
  // before anything is read or written
  for (const layer of layers) fileName(layer, name)
  return {
    digest: descriptor.digest,
    async write(directory) {
      for (const layer of layers) {
        const path = join(directory, fileName(layer, name))
        const text = await readLayer(source, ref, layer, name)
        mkdirSync(dirname(path), { recursive: true })
        const parts = layer.mediaType === COMPOSE_FILE ? [separator(path, text), text, Buffer.from("\n")] : [text]
        appendFileSync(path, Buffer.concat(parts), { mode: 0o600 })
      }
    },
  }
}

/** What makes a document of its own of a text that follows others; one that begins with its own mark or directives must not be given a second. */
function separator(path: string, text: Buffer): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0)
  return Buffer.from(/^\uFEFF?(?:[ \t]*(?:#.*)?\r?\n)*(?:---|%)/.test(text.toString()) ? "...\n" : "---\n")
}

/** The annotation is its maker's word: a name inside, or refused (CVE-2025-62725). */
function fileName({ mediaType, annotations = {} }: Descriptor, artifact: string): string {
  const isMain = mediaType === COMPOSE_FILE && annotations[EXTENDED] === undefined
  if (isMain) return "compose.yaml"
  const name = annotations[mediaType === ENV_FILE ? ENV : FILE] ?? ""
  const isInside = name !== "" && !isAbsolute(name) && !/[\0\\]/.test(name) && !name.split("/").includes("..")
  if (isInside && normalize(name) !== ".") return normalize(name)
  throw new InvalidArgument(`${artifact} has a file named ${JSON.stringify(name)}, which leads out of its directory`)
}

async function readLayer(
  source: RegistrySource,
  ref: RemoteReference,
  layer: Descriptor,
  name: string,
): Promise<Buffer> {
  if (layer.size > MAX_FILE_BYTES)
    throw new DataLoss(`a file of ${name} has ${layer.size} bytes, the limit is ${MAX_FILE_BYTES}`)
  const { bytes } = await source.fetch(ref, layer)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size > layer.size) break
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks)
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`
  if (size === layer.size && digest === layer.digest) return text
  throw new DataLoss(`a file of ${name} is not what its digest says: ${digest} instead of ${layer.digest}`)
}
