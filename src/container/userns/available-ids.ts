import { readFileSync } from "node:fs"
import { FailedPrecondition } from "../../base/errors.ts"
import { readText } from "../../sys/host.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { parseSubordinateIds } from "../../sys/rootless/id-map.ts"
import { commonRanges, parseIdMap, type IdRange } from "./id-maps.ts"

/** Whose subordinate ids root's containers get, as podman's. */
const OWNER = "containers"
/** Without such: far above all users, and below what a signed number holds. */
const RESERVE: IdRange = { first: 2 ** 30, count: 2 ** 28 }

/** The ids that containers with a user namespace of their own may be given, of which none is a user's. */
export function availableIds(): IdRange[] {
  if (rootlessUid() !== undefined) return commonRanges(ownIds("uid"), ownIds("gid"))
  const [uids, gids] = [subordinateRanges("/etc/subuid", OWNER), subordinateRanges("/etc/subgid", OWNER)]
  const common = commonRanges(uids, gids)
  return common.length > 0 ? common : [RESERVE]
}

/** How many ids the engine's own user namespace has. */
export function idCount(kind: "uid" | "gid"): number {
  return parseIdMap(readFileSync(`/proc/self/${kind}_map`, "latin1")).reduce((sum, { count }) => sum + count, 0)
}

/** Of an ordinary user: all but himself, who is root here. */
function ownIds(kind: "uid" | "gid"): IdRange[] {
  const count = idCount(kind)
  return count > 1 ? [{ first: 1, count: count - 1 }] : []
}

/** The ranges of a name in subuid(5) or subgid(5). Throws FailedPrecondition when there are none. */
export function namedRanges(file: "/etc/subuid" | "/etc/subgid", name: string): IdRange[] {
  const ranges = subordinateRanges(file, name)
  if (ranges.length === 0)
    throw new FailedPrecondition(`"${name}" has no range in ${file}`, {
      field: "userNamespace",
      hint: `add a line such as ${name}:1000000:65536`,
    })
  return ranges
}

function subordinateRanges(file: string, name: string): IdRange[] {
  return parseSubordinateIds(readText(file) ?? "", [name])
}
