import { createHash } from "node:crypto"
import { constants, openSync, readdirSync, renameSync, rmSync, unlinkSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { randomHex } from "../../base/random-hex.ts"
import { DataLoss, hasErrno, isSkiffError } from "../../base/errors.ts"
import { TimeSlice } from "../../base/time-slice.ts"
import type { SourceLayer } from "../source/source.ts"
import { countPassed } from "../../sys/process/free-memory.ts"
import { LayerIndex } from "./layer-index.ts"
import { LayerIndexer } from "./layer-indexer.ts"
import type { PageCache } from "./page-cache.ts"
import { writeIndex } from "./write-index.ts"

/** How an index is opened. */
export interface OpenIndexOptions {
  /** For what is kept nowhere. */
  scratch: string
  pages: PageCache
  /** The layer, in errors. */
  called: string
  onNote(note: string): void
  /** Of bytes of the archive that were read. */
  onBytes?(bytes: number): void
  signal?: AbortSignal | undefined
}

/**
 * The index of a layer; made where there is none. Two processes that make one do so beside each other, and the last one's stays; killed, it
 * leaves a file that the next one removes. Throws DataLoss, Unsupported, and the signal's reason.
 */
export async function openIndex(layer: SourceLayer, options: OpenIndexOptions): Promise<LayerIndex> {
  const { indexPath } = layer
  return (indexPath === undefined ? undefined : openKept(indexPath, options.pages)) ?? (await makeIndex(layer, options))
}

function openKept(path: string, pages: PageCache): LayerIndex | undefined {
  try {
    return new LayerIndex(openSync(path, "r"), pages)
  } catch (error) {
    // of an older version, or cut short by a crash of the machine: it is made again
    if (hasErrno(error, "ENOENT") || isSkiffError(error, "DataLoss")) return undefined
    throw error
  }
}

async function makeIndex(layer: SourceLayer, options: OpenIndexOptions): Promise<LayerIndex> {
  const { indexPath } = layer
  using indexer = new LayerIndexer(options.called, options.scratch)
  await readLayer(layer, indexer, options)
  if (indexPath !== undefined) removeLeft(indexPath)
  const aside =
    indexPath === undefined
      ? join(options.scratch, `explore-${randomHex(8)}`)
      : `${indexPath}.${process.pid}-${randomHex(4)}`
  const fd = openSync(aside, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    // what nobody keeps is gone with this process
    if (indexPath === undefined) unlinkSync(aside)
    await writeIndex(fd, indexer, options.signal)
    if (indexPath !== undefined) renameSync(aside, indexPath)
  } catch (error) {
    rmSync(aside, { force: true })
    throw error
  }
  return new LayerIndex(fd, options.pages)
}

/** What is left of an entry once it is in columns, of which the engine sees too little: hashes lie outside of its heap. */
const ENTRY_BYTES = 512

async function readLayer(
  layer: SourceLayer,
  indexer: LayerIndexer,
  { called, signal, onNote, onBytes }: OpenIndexOptions,
): Promise<void> {
  const table = await layer.table?.()
  if (table !== undefined) {
    for (const file of table) indexer.listed(file)
    onNote("layers with a table of contents were read by that alone: nobody has compared it with what a pull brings")
    return
  }
  const hash = layer.check === undefined ? undefined : createHash("sha256")
  const slice = new TimeSlice(signal)
  for await (const chunk of layer.tar(signal)) {
    hash?.update(chunk)
    const { entries } = indexer
    indexer.write(chunk)
    countPassed((indexer.entries - entries) * ENTRY_BYTES)
    onBytes?.(chunk.length)
    if (slice.isOver) await slice.giveWay()
  }
  indexer.finish()
  const found = hash === undefined ? layer.diffId : `sha256:${hash.digest("hex")}`
  if (found === layer.diffId || !layer.diffId.startsWith("sha256:")) return
  const fault = `${called} is not what its config says: its digest is ${found}, not ${layer.diffId}`
  if (layer.check === "strict") throw new DataLoss(fault, { hint: "do not trust this image" })
  onNote(fault)
}

/** Of processes that are gone. */
function removeLeft(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    const pid = Number(new RegExp(`^${basename(path)}\\.(\\d+)-`).exec(name)?.[1])
    if (!(pid > 0) || pid === process.pid || isAlive(pid)) continue
    rmSync(join(dirname(path), name), { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !hasErrno(error, "ESRCH")
  }
}
