/** Where podman, buildah and CRI-O keep their images: containers-storage.conf(5). */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { hasErrno, InvalidArgument, NotFound, PermissionDenied, Unsupported } from "../../base/errors.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import type { StoreAddress } from "./store-address.ts"

/** A store that is there. */
export interface StoreLocation {
  graphRoot: string
  driver: Driver
}

const DRIVERS = ["overlay", "vfs", "btrfs"] as const
type Driver = (typeof DRIVERS)[number]

type Env = Record<string, string | undefined>

/** Throws NotFound when no store is there, PermissionDenied, Unsupported for a driver whose layers are no directories. */
export async function findStore(address: StoreAddress, env: Env = process.env): Promise<StoreLocation> {
  const settings = address.graphRoot === undefined ? await readSettings(env) : {}
  const graphRoot = address.graphRoot ?? settings.graphRoot ?? usualRoot(env)
  const drivers = driversIn(graphRoot)
  const wanted = address.driver ?? settings.driver
  const driver = wanted !== undefined && drivers.includes(wanted) ? wanted : drivers[0]
  if (driver === undefined || (address.driver !== undefined && driver !== address.driver))
    throw new NotFound(`no store of podman or buildah is at "${graphRoot}"`, {
      hint: "name another: containers-storage:[DRIVER@/path/of/its/graphroot]IMAGE",
    })
  const known = DRIVERS.find((each) => each === driver)
  if (known === undefined)
    throw new Unsupported(`the layers of the store "${graphRoot}" are kept by ${driver}, which cannot be read here`, {
      hint: "save the image as docker-archive, and load that",
    })
  return { graphRoot, driver: known }
}

/** The tree of a layer's files. */
export function layerTree({ graphRoot, driver }: StoreLocation, id: string): string {
  if (driver === "overlay") return join(graphRoot, "overlay", id, "diff")
  return join(graphRoot, driver, driver === "vfs" ? "dir" : "subvolumes", id)
}

/** Of those that have images, overlay first. */
function driversIn(graphRoot: string): string[] {
  try {
    return readdirSync(graphRoot)
      .flatMap((name) => /^([a-z0-9]+)-images$/.exec(name)?.[1] ?? [])
      .filter((driver) => existsSync(join(graphRoot, `${driver}-images/images.json`)))
      .toSorted((a, b) => Number(b === "overlay") - Number(a === "overlay"))
  } catch (cause) {
    if (hasErrno(cause, "ENOENT", "ENOTDIR")) return []
    if (hasErrno(cause, "EACCES"))
      throw new PermissionDenied(`the store "${graphRoot}" is not yours to read`, { cause })
    throw cause
  }
}

function usualRoot(env: Env): string {
  if (rootlessUid() === undefined && process.getuid?.() === 0) return "/var/lib/containers/storage"
  return join(env.XDG_DATA_HOME || join(env.HOME || "/", ".local/share"), "containers/storage")
}

/** The first file there is; of an ordinary user his own says the root, the host's only how roots of users are named. */
async function readSettings(env: Env): Promise<StoreAddress> {
  const uid = rootlessUid() ?? process.getuid?.() ?? 0
  const own = join(env.XDG_CONFIG_HOME || join(env.HOME || "/", ".config"), "containers/storage.conf")
  const host = ["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"]
  const paths = env.CONTAINERS_STORAGE_CONF ? [env.CONTAINERS_STORAGE_CONF] : uid === 0 ? host : [own, ...host]
  const path = paths.find((each) => existsSync(each))
  if (path === undefined) return {}
  const { parse } = await import("smol-toml")
  let table: Record<string, unknown>
  try {
    table = (parse(readFileSync(path, "utf8")).storage ?? {}) as Record<string, unknown>
  } catch (cause) {
    throw new InvalidArgument(`cannot read "${path}"`, { cause })
  }
  const text = (key: string) => (typeof table[key] === "string" && table[key] !== "" ? table[key] : undefined)
  const isOwn = uid === 0 || path === own || path === env.CONTAINERS_STORAGE_CONF
  const root = (isOwn ? text("graphroot") : undefined) ?? (uid === 0 ? undefined : text("rootless_storage_path"))
  const driver = isOwn ? text("driver") : undefined
  return { ...(root !== undefined && { graphRoot: expanded(root, env, uid) }), ...(driver !== undefined && { driver }) }
}

function expanded(path: string, env: Env, uid: number): string {
  return path
    .replaceAll("$HOME", env.HOME ?? "")
    .replaceAll("$UID", String(uid))
    .replaceAll("$USER", env.USER ?? "")
}
