/** Who owns what a container has mounted, whom its program runs as, and whether the one lets the other write: by the ids of both sides. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { openInRoot, openRoot } from "../../sys/fs/confined.ts"
import { statOf, type FileStat } from "../../sys/fs/directory.ts"
import { resolveUser, type ResolvedUser } from "../../sys/fs/image-users.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { close, O_PATH } from "../../sys/libc.ts"
import type { MountAccess, MountPoint } from "../container.ts"
import type { ContainerDeps } from "../deps.ts"
import type { ContainerRecord } from "../record.ts"
import { outsideOf, parseIdMap, type IdMaps } from "../userns/id-maps.ts"

/** Of user_namespaces(7): who has no id here. */
const NOBODY = 65_534

/** A program's ids in its container, and how these are called by the engine. */
interface Program {
  user: ResolvedUser
  maps: IdMaps | undefined
}

/** All mounts of files. `rootfs`: host path of the container's root, for its passwd. Throws InvalidArgument for a user that is none. */
export async function mountAccess(
  deps: ContainerDeps,
  record: ContainerRecord,
  rootfs: string,
): Promise<MountAccess[]> {
  const program = await programOf(deps, record, rootfs)
  const found: MountAccess[] = []
  for (const point of record.spec.mounts) {
    const source = await sourceOf(deps, point)
    const access = source === undefined ? undefined : accessTo(program, point, source, "")
    if (access !== undefined) found.push(access)
  }
  return found
}

/** Of one name in a mount: of the nearest directory that is there, which is where it would be made. */
export async function accessBelow(
  deps: ContainerDeps,
  record: ContainerRecord,
  rootfs: string,
  { point, path }: { point: MountPoint; path: string },
): Promise<MountAccess | undefined> {
  const source = await sourceOf(deps, point)
  if (source === undefined) return undefined
  const program = await programOf(deps, record, rootfs)
  const parts = path.split("/").filter((part) => part !== "")
  for (let length = parts.length; length >= 0; length--) {
    const access = accessTo(program, point, source, parts.slice(0, length).join("/"))
    if (access !== undefined) return access
  }
  return undefined
}

async function sourceOf(
  deps: ContainerDeps,
  { type, source, name, overlay, subpath = "" }: MountPoint,
): Promise<string | undefined> {
  // what is written to an overlay goes elsewhere
  if (overlay !== undefined) return undefined
  if (type === "bind") return source
  if (type !== "volume" || name === undefined) return undefined
  return join((await deps.volumes()).mountpoint(name), subpath)
}

async function programOf(deps: ContainerDeps, record: ContainerRecord, rootfs: string): Promise<Program> {
  const { options, run, runtime } = record.spec
  const ids = options.userNamespace === undefined ? undefined : await import("../userns/enter.ts")
  const user = resolveUser(rootfs, ids?.userOf(record) ?? run.user, options.groupAdd, {
    listed: options.imageGroups,
  })
  const namespace = await ids?.userNamespaceOf(deps, record, { rootfs, user, runtime: { name: runtime } })
  return { user, maps: namespace?.maps }
}

function accessTo(program: Program, point: MountPoint, source: string, path: string): MountAccess | undefined {
  const stat = lookAt(source, path)
  if (stat === undefined) return undefined
  const { user, maps } = program
  const uid = insideOf(maps?.uids, seenAs(stat.uid, point, user.uid, source, "uid"))
  const gid = insideOf(maps?.gids, seenAs(stat.gid, point, user.gid, source, "gid"))
  return {
    target: join(point.target, path),
    source: join(source, path),
    isReadOnly: point.readOnly,
    mode: stat.mode,
    owner: {
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      hostUid: onHost(stat.uid, "uid"),
    },
    program: { uid: user.uid, gid: user.gid, hostUid: onHost(outsideOf(maps?.uids ?? ALL, user.uid) ?? NOBODY, "uid") },
    canWrite: !point.readOnly && mayWrite(user, stat, { uid, gid }),
  }
}

const ALL = [{ inside: 0, outside: 0, count: 2 ** 32 - 1 }]

/** Undefined of what is not there. Below the source it is a container's: links are followed inside of it only. */
function lookAt(source: string, path: string): FileStat | undefined {
  using fds = new DisposableStack()
  try {
    const root = path === "" ? openPath(source) : openRoot(source)
    fds.defer(() => close(root))
    if (path === "") return statOf(root)
    return statOf(fds.adopt(openInRoot(root, path, O_PATH), close))
  } catch {
    return undefined
  }
}

function openPath(source: string): number {
  const parent = openRoot(join(source, ".."))
  try {
    return openInRoot(parent, source.slice(source.lastIndexOf("/") + 1) || ".", O_PATH)
  } finally {
    close(parent)
  }
}

/** By an id-mapped mount the owner of its top and the program's user change places (id-map-text.ts). */
function seenAs(id: number, { idMap }: MountPoint, user: number, source: string, kind: "uid" | "gid"): number {
  if (idMap !== "" || rootlessUid() !== undefined) return id
  const top = lookAt(source, "")?.[kind]
  return id === top ? user : id === user ? (top ?? id) : id
}

function insideOf(map: IdMaps["uids"] | undefined, id: number): number | undefined {
  if (id === NOBODY && rootlessUid() !== undefined) return undefined
  const line = (map ?? ALL).find(({ outside, count }) => id >= outside && id < outside + count)
  return line && line.inside + id - line.outside
}

function onHost(id: number, kind: "uid" | "gid"): number {
  if (rootlessUid() === undefined) return id
  return outsideOf(parseIdMap(readFileSync(`/proc/self/${kind}_map`, "latin1")), id) ?? id
}

/** capabilities(7): root of the container passes over permissions where both ids of the file are its namespace's. */
function mayWrite(
  user: ResolvedUser,
  { mode }: FileStat,
  owner: { uid: number | undefined; gid: number | undefined },
): boolean {
  if (user.uid === 0 && owner.uid !== undefined && owner.gid !== undefined) return true
  if (owner.uid === user.uid) return (mode & 0o200) !== 0
  const isMember = owner.gid !== undefined && [user.gid, ...user.additionalGids].includes(owner.gid)
  return (mode & (isMember ? 0o020 : 0o002)) !== 0
}
