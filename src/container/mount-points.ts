import { statSync } from "node:fs"
import { posix } from "node:path"
import { InvalidArgument } from "../base/errors.ts"
import type { MountRequest } from "../spec/docker/mount-request.ts"
import { newContainerId } from "./id.ts"
import type { MountPoint } from "./container.ts"

const PROPAGATIONS = ["private", "rprivate", "slave", "rslave", "shared", "rshared"]
/** docker's for `--tmpfs`; an option given by hand replaces its opposite. */
const TMPFS_DEFAULTS = ["noexec", "nosuid", "nodev"]
const TMPFS_OPTION =
  /^(?:r[ow]|(?:no)?(?:exec|suid|dev|atime|diratime)|(?:rel|strict)atime|(?:size|mode|uid|gid|nr_inodes|nr_blocks)=[\w%]+)$/
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
  const byTarget = new Map<string, MountRequest>()
  for (const request of requests) {
    const target = cleanTarget(request.target, request.type)
    if (byTarget.has(target)) throw new InvalidArgument(`duplicate mount point: "${target}"`)
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

function checkRequest(request: MountRequest): void {
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
  if (!request.createSource && !statSync(request.source, { throwIfNoEntry: false }))
    throw new InvalidArgument(`bind source path does not exist: "${request.source}"`, {
      field: "mounts",
      hint: ["make it first", { do: "set", field: "volumes", value: `${request.source}:${request.target}` }],
    })
}

function mountPoint(request: MountRequest, target: string): MountPoint {
  checkRequest(request)
  const { readOnly } = request
  switch (request.type) {
    case "bind": {
      const { source, createSource, propagation } = request
      return { type: "bind", source: posix.normalize(source), target, readOnly, createSource, propagation }
    }
    case "volume": {
      const anonymous = request.source === undefined
      // 64 random hex digits, as an id
      const name = request.source ?? newContainerId()
      return { type: "volume", source: "", target, readOnly, name, anonymous, copyUp: request.copyUp }
    }
    case "tmpfs":
      return { type: "tmpfs", source: "", target, readOnly, options: tmpfsOptions(request) }
  }
}

function tmpfsOptions(request: Extract<MountRequest, { type: "tmpfs" }>): string[] {
  const given = request.options ?? []
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
