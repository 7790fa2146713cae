import { InvalidArgument } from "../../base/errors.ts"
import { cleanPath } from "../../dockerfile/ignore-file.ts"
import type { MountFlag } from "../../dockerfile/run-mount.ts"
import type { RunMount } from "./definition.ts"

/** Where a mount stands. */
export interface MountTarget {
  /** The working directory, in which a relative target starts. */
  directory: string
  /** The index of the context's input. */
  context(): number
  /** The index of `from`; undefined without one. */
  input: (() => number) | undefined
  /** BUILDKIT_CACHE_MOUNT_NS: a build may keep its caches apart from those of others. */
  cacheSpace?: string
}

/** `RUN --mount` as an operation has it. Throws InvalidArgument. */
export function planMount(flag: MountFlag, place: MountTarget): RunMount {
  const source = cleanPath(`/${flag.source ?? ""}`)
  const target = (path: string) => mountPoint(path, place)
  const owner = { uid: flag.uid ?? 0, gid: flag.gid ?? 0 }
  switch (flag.type) {
    case "bind":
      return {
        type: "bind",
        target: target(flag.target ?? ""),
        from: place.input === undefined ? place.context() : place.input(),
        source,
        writable: !flag.readOnly,
      }
    case "cache":
      return {
        type: "cache",
        target: target(flag.target ?? ""),
        id: [place.cacheSpace, cacheId(flag)].filter(Boolean).join("/"),
        sharing: flag.sharing ?? "shared",
        ...(place.input === undefined ? {} : { from: place.input() }),
        source,
        readOnly: flag.readOnly,
        mode: flag.mode ?? 0o755,
        ...owner,
      }
    case "tmpfs":
      return {
        type: "tmpfs",
        target: target(flag.target ?? ""),
        ...(flag.sizeBytes ? { sizeBytes: flag.sizeBytes } : {}),
      }
    case "secret": {
      const id = flag.source || flag.id || (flag.target ?? "").split("/").at(-1) || ""
      const file = flag.target || (flag.env === undefined ? `/run/secrets/${id.split("/").at(-1)}` : undefined)
      return {
        type: "secret",
        id,
        ...(file === undefined ? {} : { target: target(file) }),
        ...(flag.env === undefined ? {} : { env: flag.env }),
        required: flag.required,
        mode: flag.mode ?? 0o400,
        ...owner,
      }
    }
    case "ssh":
      return {
        type: "ssh",
        id: flag.id || "default",
        ...(flag.target ? { target: target(flag.target) } : {}),
        required: flag.required,
        mode: flag.mode ?? 0o600,
        ...owner,
      }
  }
}

/**
 * A path that is not absolute starts in the working directory. Where the runtime mounts its own, nothing else goes: links in
 * the place of `/dev/null` would take its masks away (CVE-2025-31133).
 */
function mountPoint(path: string, { directory }: MountTarget): string {
  const target = cleanPath(path.startsWith("/") ? path : `${directory}/${path}`)
  if (target === "/" || target.includes("\0"))
    throw new InvalidArgument(`invalid mount target ${JSON.stringify(target)}`)
  const below = (parent: string) => target === parent || target.startsWith(`${parent}/`)
  if (below("/proc") || below("/sys") || (below("/dev") && !below("/dev/shm")))
    throw new InvalidArgument(`cannot mount over "${target}"`, {
      hint: "/dev, /proc and /sys of a step are the kernel's; of them, /dev/shm alone can be mounted over",
    })
  return target
}

// buildkit: a cache of another owner or mode is another cache
function cacheId({ id, target, mode, uid, gid }: MountFlag): string {
  const name = id || cleanPath(target ?? "")
  if (mode === undefined && uid === undefined && gid === undefined) return name
  return `${name}:${uid ?? 0}:${gid ?? 0}:${(mode ?? 0o755).toString(8)}`
}
