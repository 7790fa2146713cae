/**
 * The files of a container's log, oldest first, at `path`:
 *
 *   path.2  path.1   older ones, whole
 *   path.open        a second name of the file that conmon began with
 *   path.next        a second name of path.tmp, by which conmon makes the next one
 *   path             conmon writes here
 *
 * conmon puts path.tmp in the place of a file that is full, and forgets the old one. Its second name keeps that, so the last two
 * files are there, though nothing of ours runs beside the container; and the inode tells whether `path` is the next one. Had
 * conmon gone on to a third, what lay between would be missing, and nothing older is shown: a log has no gap. Before each start
 * the files move up.
 */
import { closeSync, linkSync, openSync, renameSync, rmSync, statSync, type BigIntStats } from "node:fs"

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
  takeUp(path, files)
  let size = Number(statOf(path)?.size ?? 0)
  // at least half a file for each run: conmon holds all later files to the same size
  if (size > fileBytes / 2) {
    moveUp(path, path, files)
    size = 0
  }
  for (const [name, secondName] of [
    [path, `${path}.open`],
    [`${path}.tmp`, `${path}.next`],
  ] as const) {
    closeSync(openSync(name, "a", 0o600))
    linkSync(name, secondName)
  }
  return fileBytes - size
}

/** Paths of the files before `path`, oldest first. They may move while they are read: open them at once. */
export function olderLogs(path: string): string[] {
  const state = stateOf(path)
  if (state === "lost") return []
  const older = numbered(path).toReversed()
  return state === "rotated" ? [...older, `${path}.open`] : older
}

/** What conmon has put aside since the last start is numbered. */
function takeUp(path: string, files: number): void {
  const state = stateOf(path)
  if (state === "rotated") moveUp(path, `${path}.open`, files)
  else if (state === "lost") for (const older of numbered(path)) rmSync(older)
  for (const name of [`${path}.open`, `${path}.next`, `${path}.tmp`]) rmSync(name, { force: true })
}

function moveUp(path: string, newest: string, files: number): void {
  const older = numbered(path)
  for (let number = older.length; number > 0; number--) {
    const from = `${path}.${number}`
    if (number >= files - 1) rmSync(from)
    else renameSync(from, `${path}.${number + 1}`)
  }
  renameSync(newest, `${path}.1`)
}

function numbered(path: string): string[] {
  const found: string[] = []
  while (statOf(`${path}.${found.length + 1}`) !== undefined) found.push(`${path}.${found.length + 1}`)
  return found
}

/** `rotated`: the file that conmon began with is whole, and `path` came right after it; `lost`: there was another between. */
function stateOf(path: string): "same" | "rotated" | "lost" {
  const [current, open, next] = [path, `${path}.open`, `${path}.next`].map((name) => statOf(name)?.ino)
  if (open === undefined || open === current) return "same"
  return current === next ? "rotated" : "lost"
}

function statOf(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })
}
