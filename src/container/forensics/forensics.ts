/** All that is to be known of a container at one moment, as one archive with a manifest. */
import { createHash, type Hash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { hostname, release } from "node:os"
import { join } from "node:path"
import { encodeTarHeader, TAR_END_BYTES, tarPadding } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { hasErrno } from "../../base/errors.ts"
import { readChunks } from "../../base/read-chunks.ts"
import { spool } from "../../base/unnamed-file.ts"
import type { FileChange } from "../../snapshot/snapshot.ts"
import { openRawInRoot, openRoot } from "../../sys/fs/confined.ts"
import { close, O_NOFOLLOW, O_NONBLOCK } from "../../sys/libc.ts"
import type { ContainerDeps } from "../deps.ts"
import { containerEvent } from "../events.ts"
import { fileChanges } from "../files/file-changes.ts"
import { isRunning, toContainer } from "../observe.ts"
import { stateDirectory } from "../paths.ts"
import type { ContainerRecord } from "../record.ts"
import type { ForensicsOptions } from "./forensics-options.ts"
import { whileFrozen, type Freeze } from "./freeze.ts"
import { evidenceOfAll, json, networkEvidence, processesOf, processRows, type Evidence } from "./processes.ts"

/** See `Containers.forensics`. */
export async function* forensics(deps: ContainerDeps, nameOrId: string, options: ForensicsOptions = {}): Bytes {
  const record = deps.records.get(nameOrId)
  const writer = new EvidenceWriter()
  const begunAt = new Date()
  const { found, freeze, notRead } = await lookAtProcesses(deps, record, options.abort)
  for (const { name, text } of options.documents ?? []) yield* writer.file(name, Buffer.from(text))
  yield* writer.file("container.json", json(toContainer(record, deps)))
  const { config } = (await deps.runtimes()).bundle(record.id)
  if (existsSync(config)) yield* writer.file("config.json", readFileSync(config))
  yield* writer.file("events.json", json(deps.events.list({ filter: { containers: [record.id] } })))
  for (const { name, bytes } of found) yield* writer.file(name, bytes)
  yield* writer.file("network/attachments.json", json(record.state.attachments))
  yield* changedFiles(deps, record, writer, options)
  yield* logs(deps, record, writer)
  deps.records.tell(containerEvent(record, "forensics"))
  yield* writer.file("manifest.json", json(manifest(record, deps, { begunAt, freeze, notRead, files: writer.files })))
  yield Buffer.alloc(TAR_END_BYTES)
}

/** Of one that runs: read at one moment, in memory, and written when it goes on. */
async function lookAtProcesses(
  deps: ContainerDeps,
  record: ContainerRecord,
  abort: AbortSignal | undefined,
): Promise<{ found: Evidence[]; freeze: Freeze; notRead: number[] }> {
  const { pid } = record.state
  if (!isRunning(record, deps) || pid === undefined)
    return { found: [], freeze: { notFrozen: "it does not run" }, notRead: [] }
  const found: Evidence[] = []
  const notRead: number[] = []
  const freeze = await whileFrozen(
    deps,
    record.id,
    () => {
      const pids = processesOf(pid)
      found.push({ name: "processes.json", bytes: json(processRows(pids)) })
      const all = evidenceOfAll(pids)
      found.push(...all.evidence, ...networkEvidence(pid))
      notRead.push(...all.notRead)
    },
    abort,
  )
  return { found, freeze, notRead }
}

/** What it changed of its image, with the digest of each file; the files themselves where they are asked for. */
async function* changedFiles(
  deps: ContainerDeps,
  record: ContainerRecord,
  writer: EvidenceWriter,
  { files, abort }: ForensicsOptions,
): Bytes {
  const snapshots = await deps.snapshots()
  const changes: (Omit<FileChange, "path"> & { path: string; sha256?: string })[] = []
  const root = openRoot(snapshots.diffPath(record.id))
  try {
    for await (const change of fileChanges(deps, record.id, { signal: abort })) {
      const sha256 = change.kind === "deleted" || change.type !== "file" ? undefined : await digestIn(root, change.path)
      const path = Buffer.from(change.path, "latin1").toString("utf8")
      changes.push({ ...change, path, ...(sha256 === undefined ? {} : { sha256 }) })
    }
  } finally {
    close(root)
  }
  yield* writer.file("diff.json", json(changes))
  if (!files) return
  const { file, sizeBytes } = await spool(snapshots.diff(record.id, { signal: abort }), deps.root)
  await using _ = file
  yield* writer.stream("rootfs-diff.tar", readChunks(file, { end: sizeBytes }), sizeBytes)
}

/** Undefined for what has gone, or is no file any more. */
async function digestIn(root: number, path: string): Promise<string | undefined> {
  let fd: number
  try {
    fd = openRawInRoot(root, path.slice(1), O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "ENXIO")) return undefined
    throw error
  }
  try {
    await using file = await open(`/proc/self/fd/${fd}`, "r")
    if (!(await file.stat()).isFile()) return undefined
    const hash = createHash("sha256")
    for await (const chunk of readChunks(file, { reuse: true })) hash.update(chunk)
    return hash.digest("hex")
  } finally {
    close(fd)
  }
}

async function* logs(deps: ContainerDeps, { id }: ContainerRecord, writer: EvidenceWriter): Bytes {
  const directory = stateDirectory(deps, id)
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.startsWith("container.log")) : []
  for (const name of names.toSorted()) {
    await using file = await open(join(directory, name), "r")
    const { size } = await file.stat()
    yield* writer.stream(`logs/${name}`, readChunks(file, { end: size }), size)
  }
}

interface Manifest {
  begunAt: Date
  freeze: Freeze
  /** Processes of which there was too much. */
  notRead: readonly number[]
  files: readonly { name: string; sizeBytes: number; sha256: string }[]
}

function manifest(record: ContainerRecord, deps: ContainerDeps, { begunAt, freeze, notRead, files }: Manifest): object {
  const { id, name, imageId } = record
  return {
    version: 1,
    container: { id, name, image: record.spec.imageName, imageId },
    state: toContainer(record, deps).state.status,
    begunAt,
    endedAt: new Date(),
    ...freeze,
    ...(notRead.length === 0 ? {} : { processesNotRead: notRead }),
    host: { name: hostname(), kernel: release(), bootId: deps.bootId },
    files,
  }
}

/** Entries of a tar, and what the manifest says of each. */
class EvidenceWriter {
  readonly files: { name: string; sizeBytes: number; sha256: string }[] = []

  #tell(name: string, sizeBytes: number, hash: Hash): void {
    this.files.push({ name, sizeBytes, sha256: hash.digest("hex") })
  }

  *file(name: string, bytes: Uint8Array): Generator<Uint8Array> {
    this.#tell(name, bytes.length, createHash("sha256").update(bytes))
    yield encodeTarHeader({ name, mode: 0o600, sizeBytes: bytes.length, mtime: now() })
    yield bytes
    yield tarPadding(bytes.length)
  }

  async *stream(name: string, bytes: Bytes, sizeBytes: number): Bytes {
    const hash = createHash("sha256")
    yield encodeTarHeader({ name, mode: 0o600, sizeBytes, mtime: now() })
    let left = sizeBytes
    for await (const chunk of bytes) {
      hash.update(chunk)
      left -= chunk.length
      yield chunk
    }
    // cut since it was looked at: the size in the header must be kept
    if (left > 0) {
      const zeros = Buffer.alloc(left)
      hash.update(zeros)
      yield zeros
    }
    yield tarPadding(sizeBytes)
    this.#tell(name, sizeBytes, hash)
  }
}

function now(): { seconds: bigint; nanoseconds: number } {
  return { seconds: BigInt(Math.floor(Date.now() / 1000)), nanoseconds: 0 }
}
