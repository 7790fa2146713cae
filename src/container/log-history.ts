/**
 * The files of a container's log, at `path`:
 *
 *   path.s1 path.s2 …   each file's own name, oldest first, without a gap
 *   path                conmon writes here: a second name of one of them
 *   path.tmp            of the one after it, by which conmon makes its next file
 *
 * conmon puts path.tmp in the place of a file that is full, makes it when it is not there, and forgets the old one. What has a number is
 * kept, and the inode of `path` says which number conmon is at. Whoever looks (`tendLog`) gives the next file its number before it is
 * needed. Where nobody looked while conmon filled two files, those between are lost, and nothing older is shown: a log has no gap.
 */
import { closeSync, linkSync, openSync, readdirSync, renameSync, rmSync, statSync, type BigIntStats } from "node:fs"
import { basename, dirname, join } from "node:path"
import { hasErrno } from "../base/errors.ts"
import { importLegacyLogs, legacyOlderLogs } from "./log-history-legacy.ts"

/** How long a log may get. */
export interface LogLimits {
  /** Of one file. */
  fileBytes: number
  /** How many files there may be at rest; two more while the container runs. */
  files: number
}

/** Files kept where people ask for one: what was full a moment ago is what they look for. */
const MIN_FILES = 2

/** Limits that keep a log within `totalBytes` at any time. */
export function logLimits(totalBytes: number, files: number): LogLimits {
  const kept = Math.max(files, MIN_FILES)
  return { fileBytes: Math.max(1, Math.floor(totalBytes / (kept + 2))), files: kept }
}

/**
 * Makes the files ready for a monitor that appends to `path`; gives how many bytes its first file may still take. The caller holds
 * the container's lock, and no monitor runs. Safe to repeat.
 */
export function prepareLog(path: string, { fileBytes, files }: LogLimits): number {
  const imported = importLegacyLogs(path, (older, index) => renameSync(older, numberedPath(path, index + 1)))
  if (imported > 0 && statOf(path) !== undefined) linkSync(path, numberedPath(path, imported + 1))
  for (const prepared of [`${path}.tmp`, `${path}.new`]) rmSync(prepared, { force: true })
  closeSync(openSync(path, "a", 0o600))
  const { older, isKnown } = historyOf(path)
  // what comes after it was made ready, and never used
  for (const { name, number } of numberedFiles(path))
    if (isKnown && !older.includes(name) && !isCurrent(path, number)) rmSync(name)
  if (!isKnown) giveNumber(path)
  let size = Number(statOf(path)?.size ?? 0)
  // at least half a file for each run: conmon holds all later files to the same size
  if (size > fileBytes / 2) {
    closeSync(openSync(`${path}.new`, "a", 0o600))
    renameSync(`${path}.new`, path)
    linkSync(path, numberedPath(path, (numberedFiles(path).at(-1)?.number ?? 0) + 1))
    size = 0
  }
  makeNextReady(path)
  forgetOldest(path, files - 1)
  return fileBytes - size
}

/**
 * Gives the file that conmon will go on to its number, where it has none, and lets the oldest go. The caller holds the container's lock;
 * its monitor may be at work. Safe to repeat. Where nothing was filled it costs one look.
 */
export function tendLog(path: string, { files }: Pick<LogLimits, "files">): void {
  if (statOf(`${path}.tmp`) !== undefined && statOf(`${path}.new`) === undefined) return
  if (statOf(path) === undefined) return
  // conmon has gone on to a file of its own making: the history begins with that one
  if (!historyOf(path).isKnown) giveNumber(path)
  makeNextReady(path)
  forgetOldest(path, files)
}

/** Paths of the files before `path`, oldest first. They may go while they are read: open them at once. */
export function olderLogs(path: string): string[] {
  return [...legacyOlderLogs(path), ...historyOf(path).older]
}

/** Of the file that comes after the one of that inode: `path` itself when nobody knows a nearer one. */
export function logAfter(path: string, inode: bigint): string {
  const files = numberedFiles(path)
  const at = files.findIndex((file) => file.inode === inode)
  const next = at < 0 ? undefined : files[at + 1]
  // the last number may be of a file that is not used yet: then `path` is still the one before it
  return next === undefined || statOf(path)?.ino === inode ? path : next.name
}

/** All but `path` itself. Safe to repeat. */
export function forgetHistory(path: string): void {
  const names = [...numberedFiles(path).map(({ name }) => name), `${path}.tmp`, `${path}.new`]
  for (const name of names) rmSync(name, { force: true })
}

interface NumberedFile {
  name: string
  number: number
  inode: bigint
}

/** Oldest first. */
function numberedFiles(path: string): NumberedFile[] {
  const [directory, prefix] = [dirname(path), `${basename(path)}.s`]
  return namesIn(directory)
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .flatMap((name) => {
      const inode = statOf(join(directory, name))?.ino
      return inode === undefined
        ? []
        : [{ name: join(directory, name), number: Number(name.slice(prefix.length)), inode }]
    })
    .toSorted((a, b) => a.number - b.number)
}

/** `isKnown`: the file that conmon writes has a number, so that all before it came right before it. */
function historyOf(path: string): { older: string[]; isKnown: boolean } {
  const current = statOf(path)?.ino
  const files = numberedFiles(path)
  if (current === undefined) return { older: files.map(({ name }) => name), isKnown: false }
  const at = files.findIndex(({ inode }) => inode === current)
  return { older: files.slice(0, Math.max(0, at)).map(({ name }) => name), isKnown: at >= 0 }
}

function isCurrent(path: string, number: number): boolean {
  return statOf(path)?.ino === statOf(numberedPath(path, number))?.ino
}

/** What came before it is not known, and no part of this log any more. */
function giveNumber(path: string): void {
  const files = numberedFiles(path)
  for (const { name } of files) rmSync(name, { force: true })
  linkSync(path, numberedPath(path, (files.at(-1)?.number ?? 0) + 1))
}

/**
 * The file gets its number only when it is sure that conmon will go there from the file that has the last one: a file of conmon's own
 * making between the two would be a gap that nobody sees.
 */
function makeNextReady(path: string): void {
  const next = `${path}.new`
  const last = numberedFiles(path).at(-1)
  if (last === undefined) return
  // of one who was killed here; conmon may be writing to it by now
  if (statOf(next)?.ino !== statOf(`${path}.tmp`)?.ino) rmSync(next, { force: true })
  closeSync(openSync(next, "a", 0o600))
  try {
    linkSync(next, `${path}.tmp`)
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
  }
  const isOurs = statOf(next)?.ino === statOf(`${path}.tmp`)?.ino
  const isRight = isOurs && statOf(path)?.ino === last.inode
  if (isRight) renameSync(next, numberedPath(path, last.number + 1))
  else rmSync(next)
}

/** Of those before the one that is written, the newest stay. */
function forgetOldest(path: string, kept: number): void {
  const { older } = historyOf(path)
  for (const name of older.slice(0, Math.max(0, older.length - kept))) rmSync(name, { force: true })
}

function numberedPath(path: string, number: number): string {
  return `${path}.s${number}`
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return []
    throw error
  }
}

function statOf(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })
}
