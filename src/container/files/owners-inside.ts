import { readFileSync } from "node:fs"
import type { ContainerRoot } from "./container-root.ts"

interface Owner {
  uid: number
  gid: number
}

/** Whose files are inside of a running container with ids of its own; undefined where inside and outside are the same. */
export function ownersInside({ record, isLive }: ContainerRoot): ((owner: Owner) => Owner) | undefined {
  const { pid } = record.state
  if (!isLive || record.spec.options.userNamespace === undefined || pid === undefined) return undefined
  const uids = mapOf(`/proc/${pid}/uid_map`)
  const gids = mapOf(`/proc/${pid}/gid_map`)
  return ({ uid, gid }) => ({ uid: inside(uids, uid), gid: inside(gids, gid) })
}

type Line = readonly [inside: number, outside: number, count: number]

/** user_namespaces(7): as the ids are called in our own namespace. */
function mapOf(path: string): Line[] {
  const lines = readFileSync(path, "latin1").trim().split("\n")
  return lines.map((line) => line.trim().split(/\s+/).map(Number) as unknown as Line)
}

function inside(map: readonly Line[], id: number): number {
  const line = map.find(([, outside, count]) => id >= outside && id < outside + count)
  return line === undefined ? id : line[0] + id - line[1]
}
