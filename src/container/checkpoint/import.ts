import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import {
  applyLayer,
  decompressBounded,
  indexArchive,
  type ArchiveFiles,
  type IndexedArchive,
} from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { AlreadyExists, FailedPrecondition, InvalidArgument, isSkiffError } from "../../base/errors.ts"
import { spool } from "../../base/unnamed-file.ts"
import type { Image, Images } from "../../image/image.ts"
import { createContainer } from "../create.ts"
import type { ContainerDeps } from "../deps.ts"
import { stateDirectory } from "../paths.ts"
import type { ContainerRecord } from "../record.ts"
import { destroy } from "../remove.ts"
import type { CheckpointResult, ImportOptions } from "./checkpoint-request.ts"
import { asksOfHost, parseConfigDump, type ImportedConfig } from "./config-dump.ts"
import { restoreRecord } from "./restore.ts"

const MAX_CONFIG_BYTES = 1024 * 1024
/** CRIU's own names: `core-1.img`, `pages-2.img`, `descriptors.json`. */
const IMAGE_NAME = /^(?:pre-)?checkpoint\/[A-Za-z0-9][A-Za-z0-9._-]*$/

/**
 * See `ContainerCheckpoints.import`. Nothing is unpacked by the archive's names: what has a name that is known is copied to where
 * we say, links are followed within the archive alone.
 */
export async function importCheckpoint(
  deps: ContainerDeps,
  archive: Bytes,
  options: ImportOptions = {},
): Promise<CheckpointResult> {
  await using files = await openArchive(deps, archive)
  if (!files.has("config.dump")) throw new InvalidArgument("the archive is no checkpoint: it has no config.dump")
  const { trust = false } = options
  const config = parseConfigDump(await textOf(files, "config.dump"), { trust })
  const known = await knownVolumes(deps, config)
  if (!trust && known.length > 0)
    throw asksOfHost(known.map((name) => `the volume ${JSON.stringify(name)}, which is here already`))
  const image = await imageFor(deps, config)
  const { record, lock } = await createContainer(
    deps,
    {
      runtime: "runc",
      ...config.options,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.ports === undefined ? {} : { ports: options.ports }),
      image: image.id,
    },
    { willStart: false, ...(options.abort === undefined ? {} : { abort: options.abort }) },
  )
  using _ = lock
  try {
    await copyImages(deps, record, files)
    if (options.previous !== undefined) await copyPrevious(deps, record, options.previous)
    linkPrevious(deps, record)
    if (!options.ignoreRootfs && files.has("rootfs-diff.tar"))
      await applyLayer(files.read("rootfs-diff.tar"), (await deps.snapshots()).diffPath(record.id))
    if (!options.ignoreVolumes) await fillVolumes(deps, record, config, files)
    record.state.volumesFilled = true
    return await restoreRecord(deps, record, options)
  } catch (error) {
    await destroy(deps, record, { volumes: true })
    lock.unlink()
    await removeMade(deps, record, known)
    throw error
  }
}

/** What it holds, in a file without a name. Throws InvalidArgument, also for what would fill the disk. */
async function openArchive(deps: ContainerDeps, archive: Bytes): Promise<IndexedArchive> {
  const { file } = await spool(decompressBounded(archive, "archive"), deps.root)
  return await indexArchive(file)
}

/** Those that the archive names and somebody else has filled: to read them and to write them is a right over the host. */
async function knownVolumes(deps: ContainerDeps, { options: { mounts = [] } }: ImportedConfig): Promise<string[]> {
  const asked = mounts.flatMap((mount) => (mount.type === "volume" && mount.source !== undefined ? mount.source : []))
  if (asked.length === 0) return []
  const here = new Set((await deps.volumes()).list().map(({ name }) => name))
  return asked.filter((name) => here.has(name))
}

/** Takes back the volumes of an import that failed, but for those that were `known` before or that others use by now. */
async function removeMade(deps: ContainerDeps, { spec }: ContainerRecord, known: readonly string[]): Promise<void> {
  const made = spec.mounts.flatMap(({ name }) => (name === undefined || known.includes(name) ? [] : [name]))
  if (made.length === 0) return
  const volumes = await deps.volumes()
  for (const name of made)
    if (deps.records.usersOfVolume(name).length === 0) await volumes.remove(name, { force: true })
}

async function textOf(files: ArchiveFiles, name: string): Promise<string> {
  if (files.size(name) > MAX_CONFIG_BYTES)
    throw new InvalidArgument(`${name} of the archive has more than ${MAX_CONFIG_BYTES} bytes`)
  const chunks: Uint8Array[] = []
  for await (const chunk of files.read(name)) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
}

/** That very image: its id says what is in it, its name nothing (CVE-2026-53489). */
async function imageFor(deps: ContainerDeps, { imageId, imageName }: ImportedConfig): Promise<Image> {
  const images = await deps.images()
  const local = images.find(imageId)
  if (local !== undefined) return local
  // of another image here, a pull would take the name
  const image = images.find(imageName) ?? (await pulled(images, imageName))
  if (image.id === imageId) return image
  throw new FailedPrecondition(`"${imageName}" is not the image that the checkpoint was made of, ${imageId}`, {
    hint: { do: "loadImage" },
  })
}

async function pulled(images: Images, name: string): Promise<Image> {
  try {
    return (await images.pull(name, { isMissing: true })).image
  } catch (error) {
    if (!isSkiffError(error)) throw error
    throw error.restated(`the image of the checkpoint, ${name}, is not here: ${error.message}`)
  }
}

async function copyImages(deps: ContainerDeps, { id }: ContainerRecord, files: IndexedArchive): Promise<void> {
  const directory = stateDirectory(deps, id)
  for (const name of files.names()) {
    if (!IMAGE_NAME.test(name)) continue
    mkdirSync(join(directory, name, ".."), { recursive: true, mode: 0o700 })
    const path = join(directory, name)
    writeFileSync(path, "", { flag: "wx", mode: 0o600 })
    await using target = await open(path, "r+")
    for await (const chunk of files.read(name)) await target.write(chunk)
  }
}

async function copyPrevious(deps: ContainerDeps, record: ContainerRecord, archive: Bytes): Promise<void> {
  await using files = await openArchive(deps, archive)
  await copyImages(deps, record, files)
}

/** By this link CRIU finds what a checkpoint builds on. */
function linkPrevious(deps: ContainerDeps, { id }: ContainerRecord): void {
  const directory = stateDirectory(deps, id)
  if (existsSync(join(directory, "pre-checkpoint")))
    symlinkSync("../pre-checkpoint", join(directory, "checkpoint/parent"))
}

/** Only those that nobody had before. */
async function fillVolumes(
  deps: ContainerDeps,
  { id, spec }: ContainerRecord,
  config: ImportedConfig,
  files: ArchiveFiles,
): Promise<void> {
  const volumes = await deps.volumes()
  for (const { name, target } of config.volumes) {
    const archive = `volumes/${name}.tar`
    const mount = spec.mounts.find((one) => one.target === target && one.name !== undefined)
    if (mount?.name === undefined || !files.has(archive)) continue
    if (deps.records.usersOfVolume(mount.name).some((user) => user.id !== id))
      throw new AlreadyExists(`volume with name ${mount.name} already exists`, {
        hint: "remove it first, or restore without the content of volumes",
      })
    await volumes.import(mount.name, files.read(archive))
  }
}
