import { createHash } from "node:crypto"
import { basename, dirname } from "node:path"
import { hasErrno, InvalidArgument, isSkiffError } from "../../base/errors.ts"
import { parseDigest, type Digest } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import { COMPOSE_VERSION } from "../labels.ts"
import { readBounded } from "../load/read-file.ts"
import type { Project } from "../project.ts"
import { newName } from "./new-name.ts"
import { rewriteFile } from "./rewrite-file.ts"

/** One file that goes out. */
export interface ProjectLayer {
  descriptor: Descriptor
  bytes: Buffer
  /** Where it is from. */
  source: string
}

/**
 * A project's files, in the order of merging, then those that they extend, then env files: each named by where it was, so that what names it
 * can be told its new name. Throws InvalidArgument for what cannot go out.
 */
export async function projectLayers(
  project: Project,
  { withEnvironment }: { withEnvironment: boolean },
): Promise<ProjectLayer[]> {
  const { files, workingDirectory, environment } = project
  const [layers, environmentFiles] = [[] as ProjectLayer[], new Set<string>()]
  const extended = new Map<string, string>()
  const add = async (path: string, name: string, directory: string, isExtended: boolean) => {
    const read = Buffer.from(await readBounded(path))
    const rewritten = rewriteFile(read, { path, directory, environment })
    for (const file of rewritten.environmentFiles) environmentFiles.add(file)
    for (const file of rewritten.extendedFiles) if (!extended.has(file)) extended.set(file, newName(file, "yaml"))
    layers.push(composeLayer(name, rewritten.bytes, { source: path, isExtended }))
  }
  for (const path of files) {
    if (path === "-") throw new InvalidArgument("cannot publish a compose file that is read from standard input")
    await add(path, path, workingDirectory, false)
  }
  // it grows while it is gone through
  for (const [path, name] of extended) await add(path, name, dirname(path), true)
  if (withEnvironment) for (const path of environmentFiles) layers.push(...(await environmentLayer(path)))
  return layers
}

/** One compose file as a layer. */
export function composeLayer(name: string, bytes: Buffer, { source = name, isExtended = false } = {}): ProjectLayer {
  const annotations = {
    ...(isExtended && { "com.docker.compose.extends": "true" }),
    "com.docker.compose.file": basename(name),
    "com.docker.compose.version": COMPOSE_VERSION,
  }
  return layer("application/vnd.docker.compose.file+yaml", bytes, source, annotations)
}

/** None: it is not there, which its service allows. */
async function environmentLayer(path: string): Promise<ProjectLayer[]> {
  try {
    const annotations = {
      "com.docker.compose.envfile": newName(path, "env"),
      "com.docker.compose.version": COMPOSE_VERSION,
    }
    const bytes = Buffer.from(await readBounded(path))
    return [layer("application/vnd.docker.compose.envfile", bytes, path, annotations)]
  } catch (error) {
    if (hasErrno(error, "ENOENT") || (isSkiffError(error) && error.code === "NotFound")) return []
    throw error
  }
}

function layer(mediaType: string, bytes: Buffer, source: string, annotations: Record<string, string>): ProjectLayer {
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length, annotations }, bytes, source }
}

/** SHA-256 of what goes out. */
export function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
}
