/**
 * An ordinary user's container in which the program's user is the caller, as the host knows him: what it writes to a directory of the
 * caller's is the caller's. No mount can do that for him: the kernel lets only root of the host map owners (mount_setattr(2)).
 */
import { readFileSync, statSync } from "node:fs"
import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import type { MountPoint, ResolvedOptions } from "../container.ts"
import type { UserNamespaceMode } from "../user-namespace-options.ts"

const OTHERS_WRITE = 0o002

/** What is known of a container when it is made. */
export interface Asked {
  options: ResolvedOptions
  /** As written. */
  user: string
  mounts: readonly MountPoint[]
}

/**
 * The ids of a new container. Those that were asked for; else the caller is the program's user where `idmap` says so, and where
 * nothing else can be meant: the program is not root, and a directory that it is to write to is the caller's, whom it would not be.
 * Throws Unsupported.
 */
export function idsFor(asked: Asked): UserNamespaceMode | undefined {
  const { options, mounts } = asked
  const { userNamespace } = options
  if (rootlessUid() === undefined) return userNamespace
  const mapped = mounts.find(({ idMap }) => idMap !== undefined)
  if (mapped !== undefined) refuseImpossible(asked, mapped)
  if (userNamespace !== undefined) return userNamespace
  if (mapped !== undefined) return { kind: "as-caller" }
  return isMeant(asked) ? { kind: "as-caller", isAutomatic: true } : undefined
}

function refuseImpossible({ options }: Asked, { idMap = "", target }: MountPoint): void {
  const { userNamespace, sandbox } = options
  if (idMap !== "")
    throw new Unsupported(`an ordinary user can give the mount at "${target}" no map of ids of his own`, {
      field: "mounts",
      hint: "mount_setattr(2) is for root of the host; without a map the container's user is you",
    })
  if (sandbox !== undefined)
    throw new InvalidArgument(`the owners at "${target}" cannot be mapped: a container of a pod has the pod's ids`, {
      field: "mounts",
    })
  const kind = userNamespace?.kind ?? "as-caller"
  if (kind !== "as-caller" && kind !== "keep-id")
    throw new Unsupported(`the owners at "${target}" cannot be mapped with the user namespace "${kind}"`, {
      field: "userNamespace",
      hint: { do: "omit", field: "userNamespace" },
    })
}

function isMeant({ options, user, mounts }: Asked): boolean {
  const { sandbox, privileged, network, namespaces = {}, tree } = options
  if (/^(?:0*|root)(?::|$)/.test(user) || privileged || sandbox !== undefined || tree?.rootfs !== undefined)
    return false
  const shared = [network, ...Object.values(namespaces)].some(
    (mode: unknown) => typeof mode === "object" && mode !== null && "kind" in mode && isShared(mode.kind),
  )
  if (shared || hasOneId()) return false
  // named volumes, images and files given by hand count with the ids that all containers have
  const others = mounts.some(
    ({ type, anonymous, chown }) => (type === "volume" && anonymous !== true) || type === "image" || chown,
  )
  const writable = mounts.filter(({ type, readOnly, overlay }) => type === "bind" && !readOnly && overlay === undefined)
  const owners = new Set(writable.map(ownerOf))
  return !others && owners.has("caller") && !owners.has("other")
}

function isShared(kind: unknown): boolean {
  return kind === "container" || kind === "path"
}

/** Whose a directory is that the program would not be let write to; `any`: it is open to all, or no directory. */
function ownerOf({ source }: MountPoint): "caller" | "other" | "any" {
  const stat = statSync(source, { throwIfNoEntry: false })
  if (stat === undefined) return "caller" // it will be made
  if (!stat.isDirectory() || (stat.mode & OTHERS_WRITE) !== 0) return "any"
  return stat.uid === 0 ? "caller" : "other"
}

function hasOneId(): boolean {
  return readFileSync("/proc/self/uid_map", "latin1").trim().split("\n").length < 2
}
