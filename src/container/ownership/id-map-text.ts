/** Which owner a file of an id-mapped mount has: the lines of its map. Pure. */
import { InvalidArgument } from "../../base/errors.ts"
import type { IdMapping } from "../user-namespace-options.ts"
import { outsideOf } from "../userns/id-maps.ts"

/** All that there are: 2^32 - 1 is "leave it as it is" to chown(2). */
const ALL: readonly IdMapping[] = [{ inside: 0, outside: 0, count: 2 ** 32 - 1 }]
/** The kernel takes no more lines. */
const MAX_LINES = 340

/** An id of a file on disk, and what the engine's namespace calls the same file in the mount. */
export interface MountedIds {
  onDisk: number
  seen: number
  count: number
}

/**
 * Files of `owner` are the user's in the container, those of the user's number are the owner's, and all others are whose they are.
 * `map`: of the container's user namespace; without one it has the engine's ids.
 */
export function exchangedIds(owner: number, user: number, map: readonly IdMapping[] = ALL): MountedIds[] {
  const lines: MountedIds[] = []
  for (const { inside, outside, count } of map) {
    const cuts = [...new Set([owner, user].flatMap((id) => [id, id + 1]))]
      .filter((id) => id > inside && id < inside + count)
      .toSorted((a, b) => a - b)
    const starts = [inside, ...cuts]
    for (const [index, first] of starts.entries()) {
      const next = starts[index + 1] ?? inside + count
      const onDisk = first === owner ? user : first === user ? owner : first
      lines.push({ onDisk, seen: outside + first - inside, count: next - first })
    }
  }
  return lines
}

/** Podman's `uids=0-1-10#10-@0-5`: on disk, in the mount, how many; after `@` the id is one of the container's. Throws InvalidArgument. */
export function parseMountIds(
  text: string,
  maps: { uids: readonly IdMapping[]; gids: readonly IdMapping[] } | undefined,
): { uids?: MountedIds[]; gids?: MountedIds[] } {
  const found: { uids?: MountedIds[]; gids?: MountedIds[] } = {}
  for (const part of text.split(";")) {
    const [, kind, lines = ""] = /^(uids|gids)=(.+)$/.exec(part) ?? []
    if (kind !== "uids" && kind !== "gids") throw invalid(text)
    found[kind] = lines.split("#").map((line) => parseLine(line, text, maps?.[kind] ?? ALL))
    if (found[kind].length > MAX_LINES) throw invalid(text)
  }
  return found
}

function parseLine(line: string, text: string, map: readonly IdMapping[]): MountedIds {
  const [, from, at, to, length] = /^(\d{1,10})-(@?)(\d{1,10})-(\d{1,10})$/.exec(line) ?? []
  const [onDisk, named, count] = [from, to, length].map(Number)
  if (onDisk === undefined || named === undefined || !count || !(onDisk + count < 2 ** 32 && named + count < 2 ** 32))
    throw invalid(text)
  return { onDisk, seen: at === "@" ? (outsideOf(map, named) ?? named) : named, count }
}

function invalid(text: string): InvalidArgument {
  return new InvalidArgument(`invalid map of ids "${text.slice(0, 200)}" of a mount`, {
    field: "mounts",
    hint: "expected uids=ON-DISK-SEEN-COUNT#…;gids=…, or no map: then the owner of the directory is the program's user",
  })
}

/** For uid_map and gid_map of the namespace that the mount is given. */
export function mapText(lines: readonly MountedIds[]): string {
  return lines.map(({ onDisk, seen, count }) => `${onDisk} ${seen} ${count}\n`).join("")
}
