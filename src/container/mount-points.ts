import { globSync, statSync } from "node:fs"
import { posix } from "node:path"
import { defined } from "../base/defined.ts"
import { InvalidArgument } from "../base/errors.ts"
import type { GlobRequest, MountRequest, ShownFiles, VolumeRequest } from "../spec/docker/mount-request.ts"
import { newContainerId } from "./id.ts"
import type { MountPoint } from "./container.ts"

const PROPAGATIONS = ["private", "rprivate", "slave", "rslave", "shared", "rshared"]
/** docker's for `--tmpfs`; an option given by hand replaces its opposite. */
const TMPFS_DEFAULTS = ["noexec", "nosuid", "nodev"]
const TMPFS_OPTION =
  /^(?:r[ow]|(?:no)?(?:exec|suid|dev|atime|diratime)|(?:rel|strict)atime|(?:not?)?(?:tmpcopyup|sync|async|dirsync)|r?(?:private|shared|slave)|mpol=[\w:,=-]+|(?:size|mode|uid|gid|nr_inodes|nr_blocks)=[\w%]+)$/
/** Kernel interfaces that people bind on purpose; all else of /sys is the runtime's. */
const SYS_ALLOWED = [
  "/sys/fs/cgroup",
  "/sys/fs/bpf",
  "/sys/kernel/debug",
  "/sys/kernel/tracing",
  "/sys/kernel/security",
]

/**
 * Decides every mount: the user's, then the image's VOLUMEs that the user left over, each an anonymous volume, which gets
 * its name here. Parents come before what lies in them. Makes nothing. Throws InvalidArgument.
 */
export function mountPoints(requests: readonly MountRequest[], imageVolumes: readonly string[]): MountPoint[] {
  const byTarget = new Map<string, PlacedRequest>()
  for (const request of requests.flatMap(placed)) {
    const target = cleanTarget(request.target, request.type)
    if (byTarget.has(target))
      throw new InvalidArgument(`duplicate mount point: "${target}"`, { field: "mounts", data: { target } })
    byTarget.set(target, request)
  }
  for (const path of imageVolumes) {
    const target = cleanTarget(path, "volume")
    if (!byTarget.has(target)) byTarget.set(target, { type: "volume", target, readOnly: false, copyUp: true })
  }
  return [...byTarget]
    .map(([target, request]) => mountPoint(request, target))
    .toSorted((a, b) => depth(a.target) - depth(b.target))
}

type PlacedRequest = Exclude<MountRequest, GlobRequest>

/** A pattern is the binds of what fits it now. Throws InvalidArgument when nothing does. */
function placed(request: MountRequest): PlacedRequest[] {
  if (request.type !== "glob") return [request]
  const { source: pattern, target, ...how } = request
  const found = globSync(pattern).toSorted()
  if (found.length === 0)
    throw new InvalidArgument(`no file paths matching glob "${pattern}"`, {
      field: "mounts",
      hint: "quote it for your shell",
    })
  return found.map((source) => {
    const at = target === "" ? source : posix.join(target, posix.basename(source))
    return Object.assign({}, how, { type: "bind" as const, source, target: at, createSource: false })
  })
}

/** Normalises an absolute path, `..` included, and refuses what the runtime itself mounts (CVE-2015-3629, CVE-2019-16884). */
function cleanTarget(text: string, type: MountRequest["type"]): string {
  if (!text.startsWith("/") || text.includes("\0"))
    throw new InvalidArgument(`invalid mount target "${text}"`, { hint: "it must be an absolute path" })
  const target = posix.normalize(text).replace(/(?<=.)\/$/, "")
  if (target === "/") throw new InvalidArgument(`invalid mount target "${text}": it cannot be "/"`)
  const below = (parent: string) => target === parent || target.startsWith(`${parent}/`)
  const refused =
    below("/proc") ||
    (below("/sys") && !(type === "bind" && SYS_ALLOWED.some(below))) ||
    (type === "volume" && below("/dev") && !below("/dev/shm"))
  if (refused)
    throw new InvalidArgument(`cannot mount over "${target}"`, {
      hint: below("/dev")
        ? "/dev of a container is its own: bind single devices, or mount at /dev/shm"
        : "/proc and /sys of a container are the kernel's",
    })
  return target
}

function checkRequest(request: PlacedRequest): void {
  if (request.type === "tmpfs")
    for (const option of request.options ?? [])
      if (!TMPFS_OPTION.test(option)) throw new InvalidArgument(`invalid tmpfs option "${option}"`)
  if (request.type !== "bind") return
  if (!request.source.startsWith("/") || request.source.includes("\0"))
    throw new InvalidArgument(`invalid bind source "${request.source}"`, { hint: "it must be an absolute path" })
  if (request.propagation !== undefined && !PROPAGATIONS.includes(request.propagation))
    throw new InvalidArgument(`invalid bind propagation "${request.propagation}"`, {
      hint: `expected one of ${PROPAGATIONS.join(", ")}`,
    })
  const source = statSync(request.source, { throwIfNoEntry: false })
  if (request.overlay !== undefined && source?.isDirectory() === false)
    throw new InvalidArgument(`an overlay is of a directory, and "${request.source}" is none`, { field: "mounts" })
  if (!request.createSource && !source)
    throw new InvalidArgument(`bind source path does not exist: "${request.source}"`, {
      field: "mounts",
      hint: ["make it first", { do: "set", field: "volumes", value: `${request.source}:${request.target}` }],
    })
}

function mountPoint(request: PlacedRequest, target: string): MountPoint {
  checkRequest(request)
  const { readOnly } = request
  switch (request.type) {
    case "bind": {
      const { source, createSource, propagation, subpath } = request
      const bind = {
        type: "bind",
        source: posix.normalize(source),
        target,
        readOnly,
        createSource,
        propagation,
      } as const
      return { ...bind, ...shownFiles(request), ...defined({ subpath }) }
    }
    case "volume": {
      const anonymous = request.source === undefined || request.isAnonymous === true
      // 64 random hex digits, as an id
      const name = request.source ?? newContainerId()
      // a part of a volume is what it is: nothing of the image is put there
      const copyUp = request.copyUp && request.subpath === undefined
      const volume = { type: "volume", source: "", target, readOnly, name, anonymous, copyUp } as const
      return { ...volume, ...shownFiles(request), ...ofVolume(request) }
    }
    case "tmpfs":
      return { type: "tmpfs", source: "", target, readOnly, options: tmpfsOptions(request) }
    case "image":
      return { type: "image", source: request.source, target, readOnly, ...defined({ subpath: request.subpath }) }
    case "devpts":
      return { type: "devpts", source: "", target, readOnly, options: devptsOptions(request.options) }
  }
}

function shownFiles({ options, recursion, overlay, chown, idMap }: ShownFiles): ShownFiles {
  return defined({ options, recursion, overlay, chown, idMap })
}

function ofVolume({ subpath, driver, driverOptions, labels }: VolumeRequest): Pick<MountPoint, "subpath" | "volume"> {
  const volume = defined({ driver, options: driverOptions, labels })
  return { ...defined({ subpath }), ...(Object.keys(volume).length === 0 ? {} : { volume }) }
}

/** Terminals that anybody on the host could open are none of a container's: always an instance of its own. */
function devptsOptions(given: readonly string[] = []): string[] {
  const has = (key: string): boolean => given.some((option) => option.startsWith(`${key}=`))
  const defaults = [has("mode") ? "" : "mode=0620", has("ptmxmode") ? "" : "ptmxmode=0666"]
  return ["nosuid", "noexec", "newinstance", ...defaults, ...given].filter(Boolean)
}

function tmpfsOptions(request: Extract<MountRequest, { type: "tmpfs" }>): string[] {
  const given = (request.options ?? []).filter((option) => option !== "notmpcopyup")
  const defaults = TMPFS_DEFAULTS.filter((name) => !given.includes(name.slice("no".length)) && !given.includes(name))
  return [
    ...defaults,
    ...(request.readOnly ? ["ro"] : []),
    ...given,
    ...(request.sizeBytes === undefined ? [] : [`size=${request.sizeBytes}`]),
    ...(request.mode === undefined ? [] : [`mode=${request.mode.toString(8)}`]),
  ]
}

function depth(path: string): number {
  return path.split("/").length
}
