import { createReadStream, statSync } from "node:fs"
import { join } from "node:path"
import type { Bytes } from "../../base/bytes.ts"
import { InvalidArgument, isSkiffError, NotFound } from "../../base/errors.ts"
import type { BuildContext } from "../build.ts"
import type { Materials } from "../attest/materials.ts"
import type { WorkContext, Executor } from "../execute/executor.ts"
import { MAX_DOCKERFILE_BYTES } from "../../dockerfile/dockerfile.ts"

/** How a context that is no local directory is fetched. */
export interface OpenContextOptions {
  executor: Executor
  /** A new empty directory of this build. */
  makeDirectory(name: string): string
  work: WorkContext
  /** Of a repository; default false. */
  keepGitDir?: boolean
  /** Receives what was fetched, where somebody wants to know. */
  materials?: Materials
}

/** A context as a directory; a URL may turn out to be a Dockerfile alone. */
export interface OpenedContext {
  path: string
  /** An archive's files have the owners and attributes that it tells; those of a directory or a repository become root's. */
  keepsOwners?: boolean
  /** Whether an ignore file in it counts: for a directory only (buildkit's dockerui: others come whole). */
  isDirectory?: boolean
  dockerfile?: { text: string; name: string }
}

/** Brings a context into a directory; one that is a directory is read where it lies. Throws NotFound, InvalidArgument, Unavailable. */
export async function openContext(context: BuildContext, options: OpenContextOptions): Promise<OpenedContext> {
  const { executor, makeDirectory, work, materials, keepGitDir = false } = options
  switch (context.kind) {
    case "directory":
      if (statSync(context.path, { throwIfNoEntry: false })?.isDirectory())
        return { path: context.path, isDirectory: true }
      throw new NotFound(`the build context "${context.path}" is no directory`, {
        hint: "name a directory, a URL, or -",
      })
    case "empty":
      return { path: makeDirectory("context") }
    case "tar":
      return await unpack(context.path, makeDirectory, work)
    case "git": {
      const path = makeDirectory("context")
      const { commit } = await executor.clone(context.url, path, { keepGitDir }, work)
      materials?.addGit(context.url, commit)
      return { path }
    }
    case "http": {
      const directory = makeDirectory("download")
      const file = join(directory, await executor.download(context.url, directory, undefined, work))
      await materials?.addFile(context.url, file)
      if (await isTar(file)) return await unpack(file, makeDirectory, work)
      return { path: makeDirectory("context"), dockerfile: { text: await readText(file), name: "Dockerfile" } }
    }
  }
}

/** Names in a tar lead nowhere but below the directory; sizes have caps (CVE-2026-33748). */
async function unpack(
  file: string,
  makeDirectory: OpenContextOptions["makeDirectory"],
  { signal }: WorkContext,
): Promise<OpenedContext> {
  // no name is a whiteout
  const into = async (path: string, owner?: { uid: number; gid: number }) => {
    const { applyLayer } = await import("../../archive/archive.ts")
    await applyLayer(createReadStream(file, { highWaterMark: 1 << 20 }), path, { plain: true, owner, signal })
    return { path, keepsOwners: true }
  }
  try {
    return await into(makeDirectory("context"))
  } catch (error) {
    // an owner that the user namespace does not map: then all is root's
    if (!isSkiffError(error, "FailedPrecondition")) throw error
    return await into(makeDirectory("context"), { uid: 0, gid: 0 })
  }
}

/** Also inside a compressed stream. */
async function isTar(file: string): Promise<boolean> {
  try {
    const { decompress, isTarHead } = await import("../../archive/archive.ts")
    return isTarHead(await firstBytes(decompress(createReadStream(file)), 512))
  } catch (error) {
    // it only looked compressed
    if (isSkiffError(error, "DataLoss")) return false
    throw error
  }
}

async function readText(file: string): Promise<string> {
  const bytes = await firstBytes(createReadStream(file), MAX_DOCKERFILE_BYTES + 1)
  if (bytes.length > MAX_DOCKERFILE_BYTES)
    throw new InvalidArgument(`the URL of the context gives neither an archive nor a Dockerfile`, {
      hint: "a Dockerfile has at most 4 MiB",
    })
  return bytes.toString("utf8")
}

async function firstBytes(bytes: Bytes, count: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of bytes) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= count) break
  }
  return Buffer.concat(chunks).subarray(0, count)
}
