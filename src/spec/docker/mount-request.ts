import { InvalidArgument } from "../../base/errors.ts"

/** What `-v`, `--mount` and `--tmpfs` ask for. */
export type MountRequest = BindRequest | VolumeRequest | TmpfsRequest | ImageMountRequest | DevptsRequest | GlobRequest

interface Target {
  target: string
  readOnly: boolean
}

/** How files that are there already are shown. */
export interface ShownFiles {
  /** Words of mount(8) on what files may be used for: `noexec`, `suid`, `nodev`. */
  options?: readonly string[]
  /**
   * What is mounted below: left away, writable although the mount is read-only, or read-only or else an error. Absent: all of it,
   * read-only with the mount where the kernel can.
   */
  recursion?: "none" | "writable" | "readonly"
  /** Writes go elsewhere: to directories that were named, or are gone when the container ends. */
  overlay?: { upper?: string; work?: string }
  /** All files are given to who the container runs as. */
  chown?: boolean
  /** Shown with other owners: `""` for those of the container's user namespace, else `uids=0-1-10#…;gids=…`. */
  idMap?: string
}

/** A directory or file of the host. */
export interface BindRequest extends Target, ShownFiles {
  type: "bind"
  source: string
  propagation?: string
  createSource: boolean
  /** A directory or file below it is shown: no link leads out of it. */
  subpath?: string
}

/** A named volume, or without a source one of the container's own. */
export interface VolumeRequest extends Target, ShownFiles {
  type: "volume"
  source?: string
  /** The source is one of those without a name: it goes with the container, as its own would. */
  isAnonymous?: true
  copyUp: boolean
  /** A directory or file of it is shown. */
  subpath?: string
  /** For one that is made for it. */
  driver?: string
  driverOptions?: Readonly<Record<string, string>>
  labels?: Readonly<Record<string, string>>
}

/** Memory. */
export interface TmpfsRequest extends Target {
  type: "tmpfs"
  sizeBytes?: number
  mode?: number
  options?: readonly string[]
}

/** Files of an image; what is written to them is gone when the container ends. */
export interface ImageMountRequest extends Target {
  type: "image"
  source: string
  subpath?: string
}

/** Terminals of the container's own. */
export interface DevptsRequest extends Target {
  type: "devpts"
  options?: readonly string[]
}

/** Each file of the host that fits a pattern. Without a target each at its own path, else by its last name in that directory. */
export interface GlobRequest extends ShownFiles {
  type: "glob"
  source: string
  target: string
  readOnly: boolean
}

/** What is mounted, as it was named: a path, a volume, an image. Undefined: what is made for the container. */
export function mountSource(request: MountRequest): string | undefined {
  return "source" in request ? request.source : undefined
}

/** Of mount_namespaces(7). */
export const PROPAGATIONS: readonly string[] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"]

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/** Whether a source is a path of the host, and no volume's name. */
export function isHostPath(source: string): boolean {
  return source.startsWith("/") || source === "." || source === ".." || /^\.\.?\//.test(source)
}

/** Joins and tidies `.` and `..`, without a look at the disk. */
export function absolutePath(path: string, cwd: string): string {
  const kept: string[] = []
  for (const part of (path.startsWith("/") ? path : `${cwd}/${path}`).split("/")) {
    if (part === "..") kept.pop()
    else if (part !== "" && part !== ".") kept.push(part)
  }
  return `/${kept.join("/")}`
}

/** Throws InvalidArgument. */
export function checkTarget(target: string): string {
  if (!target.startsWith("/")) throw new InvalidArgument(`invalid mount path: '${target}' mount path must be absolute`)
  const tidy = absolutePath(target, "/")
  if (tidy === "/") throw new InvalidArgument("invalid specification: destination can't be '/'")
  return tidy
}

/** Throws InvalidArgument. */
export function checkVolumeName(name: string): string {
  if (!VOLUME_NAME.test(name))
    throw new InvalidArgument(
      `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
      { hint: `for a directory of the host, give an absolute path or ./${name}` },
    )
  return name
}

/** A path inside of a volume or an image. Throws InvalidArgument for one that leads out. */
export function checkSubpath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".")
  if (path.startsWith("/") || path.includes("\0") || parts.includes("..") || parts.length === 0)
    throw new InvalidArgument(`invalid subpath '${path}': it must be a relative path within the volume`)
  return parts.join("/")
}
