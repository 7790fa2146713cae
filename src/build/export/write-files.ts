import { mkdirSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { encodeTarHeader, layerTar, TAR_END_BYTES, tarPadding } from "../../archive/archive.ts"
import { atomicWrite } from "../../base/atomic-write.ts"
import type { Bytes } from "../../base/bytes.ts"
import { AlreadyExists } from "../../base/errors.ts"
import { copyTree } from "../../sys/fs/copy-tree.ts"
import { openRoot, tryOpenBeneath } from "../../sys/fs/confined.ts"
import { close } from "../../sys/libc.ts"
import { MountFlag, mountAt, unmount } from "../../sys/fs/mount.ts"
import type { StatementFile } from "../attest/statement-files.ts"
import type { BuildOutput } from "../build.ts"
import type { Attested } from "./context.ts"
import type { ExportContext } from "./context.ts"
import { platformDirectory } from "./platform-directory.ts"

type FilesOutput = BuildOutput & { type: "local" | "tar" }
type FilesContext = Pick<ExportContext, "deps" | "runner" | "records" | "directory">

/**
 * The files of the results, as they are: into a directory, or as one tar. Of several platforms each has a directory of its own;
 * what is attested lies beside the files.
 */
export async function writeFiles(
  attested: readonly Attested[],
  output: FilesOutput,
  context: FilesContext,
): Promise<void> {
  const split = output.split ?? attested.length > 1
  if (output.type === "local") {
    for (const each of attested) {
      const { path } = await context.runner.view(each.result)
      const target = split ? join(output.path, platformDirectory(each.plan.platform)) : output.path
      mkdirSync(target, { recursive: true })
      const statements = await statementsOf(each, path, output)
      await copyTree(path, "/", target, "/", { owner: { uid: 0, gid: 0 }, keepTop: true })
      for (const { name, bytes } of statements) atomicWrite(join(target, name), bytes, { mode: 0o644 })
    }
    return
  }
  await writeBytes(output.path, split ? tarOfAll(attested, output, context) : tarOfFirst(attested, output, context))
}

async function statementsOf({ predicates }: Attested, path: string, output: FilesOutput): Promise<StatementFile[]> {
  if (predicates.length === 0) return []
  const { statementFiles } = await import("../attest/statement-files.ts")
  const files = statementFiles(predicates, path, output.attestationPrefix ?? "")
  for (const { name } of files)
    if (hasFile(path, name))
      throw new AlreadyExists(`the result contains a file "${name}", which is the name of an attestation`, {
        hint: [
          "give the attestations another name",
          { do: "set", field: "outputs", value: "…,attestation-prefix=PREFIX" },
        ],
      })
  return files
}

function hasFile(root: string, name: string): boolean {
  using fds = new DisposableStack()
  const fd = tryOpenBeneath(fds.adopt(openRoot(root), close), name)
  if (fd !== undefined) close(fd)
  return fd !== undefined
}

async function* tarOfFirst(
  [first]: readonly Attested[],
  output: FilesOutput,
  { deps, runner, records }: FilesContext,
): Bytes {
  if (first === undefined) return
  if (first.predicates.length > 0)
    yield* tarEntries(await statementsOf(first, (await runner.view(first.result)).path, output), "")
  // another build may be giving the snapshot its final name
  const tar = records.transaction(() => {
    const top = runner.topSnapshot(first.result)
    return top === undefined ? undefined : deps.snapshots.diff(top, { since: "nothing" })
  })
  if (tar === undefined) yield Buffer.alloc(TAR_END_BYTES)
  else yield* tar
}

/** All under one directory, each mounted on one of its platform's name, read as one tree. */
async function* tarOfAll(
  attested: readonly Attested[],
  output: FilesOutput,
  { runner, directory }: FilesContext,
): Bytes {
  const all = directory.make("platforms")
  using mounts = new DisposableStack()
  for (const each of attested) {
    const { path } = await runner.view(each.result)
    const name = platformDirectory(each.plan.platform)
    yield* tarEntries(await statementsOf(each, path, output), `${name}/`)
    const target = join(all, name)
    mkdirSync(target)
    mountAt(target, { type: "", source: path, data: [], flags: MountFlag.bind })
    mounts.defer(() => unmount(target))
  }
  yield* layerTar({ changed: all, form: { kind: "whole" } })
}

function* tarEntries(files: readonly StatementFile[], directory: string): Generator<Uint8Array> {
  for (const { name, bytes } of files) {
    yield encodeTarHeader({ name: `${directory}${name}`, sizeBytes: bytes.length, mode: 0o644 })
    yield bytes
    yield tarPadding(bytes.length)
  }
}

/** Into a file, or into an open descriptor, which stays open. */
export async function writeBytes(path: string | number, bytes: Bytes): Promise<void> {
  if (typeof path === "number") return await writeAll(path, bytes)
  await using file = await open(path, "w", 0o644)
  for await (const chunk of bytes) await file.writeFile(chunk)
}

async function writeAll(fd: number, bytes: Bytes): Promise<void> {
  const { createWriteStream } = await import("node:fs")
  const { pipeline } = await import("node:stream/promises")
  await pipeline(bytes, createWriteStream("", { fd, autoClose: false }))
}
