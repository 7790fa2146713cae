/** The user namespace of a container: which ids it has, found at each start. */
import { readFileSync } from "node:fs"
import { crashPoint } from "../../base/crash-point.ts"
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import type { ConfigInput, Runtime } from "../../runtime/runtime.ts"
import { highestIds, type ResolvedUser } from "../../sys/fs/image-users.ts"
import { rootlessGid, rootlessUid } from "../../sys/fs/paths.ts"
import { isSameNamespace } from "../../sys/process/namespace-file.ts"
import { run } from "../../sys/process/process.ts"
import type { ContainerDeps } from "../deps.ts"
import { namespacePath } from "../namespaces.ts"
import type { ContainerRecord } from "../record.ts"
import type { IdMapping, UserNamespaceMode } from "../user-namespace-options.ts"
import { availableIds, idCount, namedRanges } from "./available-ids.ts"
import {
  autoMap,
  checkIdMap,
  consecutive,
  cutByRanges,
  exchangedWithRoot,
  fromHost,
  keepId,
  outsideOf,
  parseIdMap,
  type IdMaps,
} from "./id-maps.ts"

/** Its maps, from the engine's ids; `path` opens one that somebody else has made. */
export interface UserNamespace {
  maps: IdMaps
  path?: string
  /** Nobody asked for it: what it costs is not told each time. */
  isAutomatic?: true
}

/** podman's least, so that the ids that programs make up have room. */
const LEAST_AUTO_IDS = 1024
/** What an image usually counts with. */
const MOST_AUTO_IDS = 65_536
const ALL_IDS = 2 ** 32 - 1

/**
 * Undefined: the engine's own. `auto` is given its ids here, at the first start, and keeps them. `files`: where the container's
 * passwd and group lie, and whom it runs as. Throws InvalidArgument, FailedPrecondition, NotFound.
 */
export async function userNamespaceOf(
  deps: ContainerDeps,
  record: ContainerRecord,
  files: { rootfs: string; user: ResolvedUser; runtime: Pick<Runtime, "name"> },
): Promise<UserNamespace | undefined> {
  const mode = record.spec.options.userNamespace
  if (mode === undefined || mode.kind === "host") return undefined
  if (mode.kind === "container" || mode.kind === "path") return joined(namespacePath(deps, "user", mode))
  if (mode.kind === "as-caller") return asCaller(mode, files)
  const maps = mode.kind === "auto" ? autoMaps(deps, record, mode, files) : mapsOf(mode)
  checkIdMap(maps.uids, "userNamespace")
  checkIdMap(maps.gids, "userNamespace")
  return { maps }
}

/** Where `keep-id` puts the caller; undefined for all else, and for root, who stays himself. */
export function keptUser(mode: UserNamespaceMode | undefined): { uid: number; gid: number } | undefined {
  const [uid, gid] = [rootlessUid(), rootlessGid()]
  if (mode?.kind !== "keep-id" || uid === undefined || gid === undefined) return undefined
  return { uid: mode.uid ?? uid, gid: mode.gid ?? gid }
}

/** The caller and the program's user change places. Undefined where they are the same, or the runtime cannot follow what nobody asked for. */
function asCaller(
  { isAutomatic }: UserNamespaceMode & { kind: "as-caller" },
  { user, runtime }: { user: ResolvedUser; runtime: Pick<Runtime, "name"> },
): UserNamespace | undefined {
  if (user.uid === 0 || (isAutomatic && runtime.name !== "crun")) return undefined
  const maps = {
    uids: cutByRanges(exchangedWithRoot(user.uid, idCount("uid")), ownMap("uid")),
    gids: cutByRanges(exchangedWithRoot(user.gid, idCount("gid")), ownMap("gid")),
  }
  return { maps, ...(isAutomatic && { isAutomatic }) }
}

function mapsOf(
  mode: Exclude<UserNamespaceMode, { kind: "auto" | "container" | "path" | "host" | "as-caller" }>,
): IdMaps {
  switch (mode.kind) {
    case "mapped":
      return { uids: fromHost(mode.uids, ownMap("uid")), gids: fromHost(mode.gids, ownMap("gid")) }
    case "subordinate":
      return {
        uids: consecutive(namedRanges("/etc/subuid", mode.uidName)),
        gids: consecutive(namedRanges("/etc/subgid", mode.gidName)),
      }
    case "keep-id": {
      const kept = keptUser(mode)
      // root's ids are all the same inside as outside
      if (kept === undefined) return { uids: sameIds("uid"), gids: sameIds("gid") }
      return { uids: keepId(kept.uid, idCount("uid")), gids: keepId(kept.gid, idCount("gid")) }
    }
    case "nomap": {
      if (rootlessUid() === undefined)
        throw new InvalidArgument("the user namespace nomap is for ordinary users: root cannot hide from himself", {
          field: "userNamespace",
        })
      return { uids: subordinateIds("uid"), gids: subordinateIds("gid") }
    }
  }
}

/** An ordinary user's: all but himself. */
function subordinateIds(kind: "uid" | "gid"): IdMapping[] {
  return [{ inside: 0, outside: 1, count: idCount(kind) - 1 }]
}

function ownMap(kind: "uid" | "gid"): IdMapping[] {
  return parseIdMap(readFileSync(`/proc/self/${kind}_map`, "latin1"))
}

function sameIds(kind: "uid" | "gid"): IdMapping[] {
  return ownMap(kind).map(({ inside, count }) => ({
    inside,
    outside: inside,
    count: Math.min(count, ALL_IDS),
  }))
}

function autoMaps(
  deps: ContainerDeps,
  record: ContainerRecord,
  mode: Extract<UserNamespaceMode, { kind: "auto" }>,
  { rootfs, user }: { rootfs: string; user: ResolvedUser },
): IdMaps {
  const range = (record.state.idRange ??= deps.records.claimIds(
    record.id,
    mode.size ?? neededIds(rootfs, user),
    availableIds(),
  ))
  crashPoint("ids:claimed")
  const [uids, gids] = [fromHost(mode.uids ?? [], ownMap("uid")), fromHost(mode.gids ?? [], ownMap("gid"))]
  return { uids: autoMap(range, range.count, uids), gids: autoMap(range, range.count, gids) }
}

/** Room for all whom the image knows, and for who runs. */
function neededIds(rootfs: string, { uid, gid, additionalGids }: ResolvedUser): number {
  const { uid: lastUid, gid: lastGid } = highestIds(rootfs, MOST_AUTO_IDS - 1)
  return Math.max(LEAST_AUTO_IDS, lastUid + 1, lastGid + 1, uid + 1, gid + 1, ...additionalGids.map((one) => one + 1))
}

/** One that is there already; whoever shares the engine's has none of its own. */
async function joined(path: string): Promise<UserNamespace | undefined> {
  if (isSameNamespace(path, "/proc/self/ns/user")) return undefined
  return { maps: { uids: await mapAt(path, "uid"), gids: await mapAt(path, "gid") }, path }
}

/** As its own processes read it: the ids outside are then its parent's (user_namespaces(7)), which is us. */
async function mapAt(path: string, kind: "uid" | "gid"): Promise<IdMapping[]> {
  const words = ["nsenter", `--user=${path}`, "--preserve-credentials", "--", "cat", `/proc/self/${kind}_map`]
  const { code, stdout, stderr } = await run(words)
  if (code !== 0)
    throw new FailedPrecondition(`cannot enter the user namespace "${path}": ${stderr.trim()}`, {
      field: "userNamespace",
      hint: "it must be a child of skiff's own",
    })
  return parseIdMap(stdout)
}

/** What `config.json` says of it. */
export function runtimeUser(userNamespace: UserNamespace | undefined): Pick<ConfigInput, "userNamespace"> {
  return userNamespace === undefined ? {} : { userNamespace: { ...userNamespace.maps, path: userNamespace.path } }
}

/** Whom a file must belong to, to be root's inside; root of the engine where 0 is nobody's. */
export function rootInside(userNamespace: UserNamespace | undefined): { uid: number; gid: number } {
  const { uids, gids } = userNamespace?.maps ?? { uids: [], gids: [] }
  return { uid: outsideOf(uids, 0) ?? 0, gid: outsideOf(gids, 0) ?? 0 }
}
