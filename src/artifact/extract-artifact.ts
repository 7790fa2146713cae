import { constants, createWriteStream, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { AlreadyExists, hasErrno, InvalidArgument, NotFound } from "../base/errors.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import { TITLE } from "./add-artifact.ts"
import type { Artifact, FileChoice } from "./artifact.ts"
import type { ArtifactsDeps } from "./deps.ts"

/** See `Artifacts.extract`. */
export async function extractArtifact(
  deps: ArtifactsDeps,
  artifact: Artifact,
  target: string,
  { title, digest }: FileChoice,
): Promise<void> {
  if (title !== undefined && digest !== undefined) throw new InvalidArgument("cannot specify both digest and title")
  const { layers } = await deps.manifest(artifact)
  const wanted = layers.filter((layer) => {
    if (title !== undefined) return titleOf(layer) === title
    return digest === undefined || layer.digest.replace("sha256:", "").startsWith(digest.replace("sha256:", ""))
  })
  if (wanted.length === 0)
    throw new NotFound(`artifact ${artifact.name} has no file ${title ?? digest ?? ""}`.trim(), {
      hint: { valid: layers.map(titleOf) },
    })
  const isDirectory = statSync(target, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (!isDirectory && wanted.length > 1)
    throw new InvalidArgument(`"${target}" is no directory, and the artifact has ${wanted.length} files`, {
      hint: "make the directory, or choose one file",
    })
  for (const layer of wanted) await writeFile(deps, layer, isDirectory ? join(target, safeTitle(layer)) : target)
}

async function writeFile({ content }: ArtifactsDeps, layer: Descriptor, path: string): Promise<void> {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants
  // what is there, and where a link of that name leads, is somebody else's
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
  try {
    await pipeline(content.read(layer.digest), createWriteStream(path, { flags: flags as never, mode: 0o644 }))
  } catch (error) {
    if (hasErrno(error, "EEXIST", "ELOOP")) throw new AlreadyExists(`"${path}" is there already`)
    // ours, and not whole
    rmSync(path, { force: true })
    throw error
  }
}

/** A title is its maker's word: no way out of the directory. Without one the digest is the name. */
function safeTitle(layer: Descriptor): string {
  const title = titleOf(layer)
  if (title !== "" && title !== "." && title !== ".." && !/[/\0]/.test(title)) return title
  throw new InvalidArgument(`the title ${JSON.stringify(title)} of a file is no name`, {
    hint: "extract it to a path of your own: choose it by its digest",
  })
}

function titleOf({ annotations, digest }: Descriptor): string {
  return annotations?.[TITLE] ?? digest.replace("sha256:", "")
}
