import { existsSync, readdirSync, statSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { encodeTarHeader, TAR_END_BYTES, tarPadding } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { readChunks } from "../../base/read-chunks.ts"
import { spool } from "../../base/unnamed-file.ts"
import type { ContainerDeps } from "../deps.ts"
import { stateDirectory } from "../paths.ts"
import type { ContainerRecord } from "../record.ts"
import { configDump } from "./config-dump.ts"

/** What goes into an archive. */
export interface ArchiveOptions {
  /** CRIU's images, log and figures. */
  images: string
  work: string
  /** The text of config.json. */
  config: string
  /** The images are of a pre-dump. */
  isPrevious: boolean
  ignoreRootfs?: boolean
  ignoreVolumes?: boolean
}

/** A checkpoint as one tar, laid out as podman's: another machine needs no more than this and the image. */
export async function* checkpointArchive(deps: ContainerDeps, record: ContainerRecord, options: ArchiveOptions): Bytes {
  const { images, work, config, isPrevious } = options
  yield* entry("config.dump", Buffer.from(JSON.stringify(configDump(record))))
  yield* entry("spec.dump", Buffer.from(config))
  yield* entry("network.status", Buffer.from(JSON.stringify(record.state.attachments)))
  for (const name of ["stats-dump", "dump.log"])
    if (existsSync(join(work, name))) yield* fileEntry(name, join(work, name))
  yield* directory(isPrevious ? "pre-checkpoint" : "checkpoint", images)
  // what a later checkpoint builds on
  const previous = join(stateDirectory(deps, record.id), "pre-checkpoint")
  if (!isPrevious && existsSync(join(images, "parent")) && existsSync(previous))
    yield* directory("pre-checkpoint", previous)
  if (!options.ignoreRootfs && !isPrevious)
    yield* spooled(deps, "rootfs-diff.tar", (await deps.snapshots()).diff(record.id))
  if (!options.ignoreVolumes && !isPrevious) yield* volumes(deps, record)
  yield Buffer.alloc(TAR_END_BYTES)
}

async function* volumes(deps: ContainerDeps, { spec }: ContainerRecord): Bytes {
  for (const { name } of spec.mounts)
    // by the volume's own words: one that is mounted may be so no more, as the container has ended
    if (name !== undefined) yield* spooled(deps, `volumes/${name}.tar`, (await deps.volumes()).export(name))
}

async function* directory(name: string, path: string): Bytes {
  for (const file of readdirSync(path).toSorted())
    if (statSync(join(path, file)).isFile()) yield* fileEntry(`${name}/${file}`, join(path, file))
}

/** A tar says a file's size before it. */
async function* spooled(deps: ContainerDeps, name: string, bytes: AsyncIterable<Uint8Array>): Bytes {
  const { file, sizeBytes } = await spool(bytes, deps.root)
  await using _ = file
  yield encodeTarHeader({ name, mode: 0o600, sizeBytes })
  yield* readChunks(file, { end: sizeBytes })
  yield tarPadding(sizeBytes)
}

async function* fileEntry(name: string, path: string): Bytes {
  await using file = await open(path, "r")
  const { size } = await file.stat()
  yield encodeTarHeader({ name, mode: 0o600, sizeBytes: size })
  yield* readChunks(file, { end: size })
  yield tarPadding(size)
}

function* entry(name: string, bytes: Buffer): Generator<Uint8Array> {
  yield encodeTarHeader({ name, mode: 0o600, sizeBytes: bytes.length })
  yield bytes
  yield tarPadding(bytes.length)
}
