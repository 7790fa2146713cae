/**
 * Log files as the first stores have them: `path.2 path.1` whole ones, the oldest with the largest number; `path.open` a second name of the
 * file that conmon began with, `path.next` of the one that it makes next.
 */
import { rmSync, statSync } from "node:fs"

/** Paths of the files before `path`, oldest first; none where there is a gap. */
export function legacyOlderLogs(path: string): string[] {
  const [current, open, next] = [path, `${path}.open`, `${path}.next`].map(inodeOf)
  const numbered = numberedFiles(path).toReversed()
  if (open === undefined || open === current) return numbered
  return current === next ? [...numbered, `${path}.open`] : []
}

/** Hands each of them on, oldest first, and removes the names that are of no use any more. Gives how many. */
export function importLegacyLogs(path: string, take: (older: string, index: number) => void): number {
  if (inodeOf(`${path}.open`) === undefined && inodeOf(`${path}.1`) === undefined) return 0
  const all = legacyOlderLogs(path)
  for (const [index, older] of all.entries()) take(older, index)
  for (const name of [`${path}.open`, `${path}.next`, ...numberedFiles(path)]) rmSync(name, { force: true })
  return all.length
}

function numberedFiles(path: string): string[] {
  const found: string[] = []
  while (inodeOf(`${path}.${found.length + 1}`) !== undefined) found.push(`${path}.${found.length + 1}`)
  return found
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}
