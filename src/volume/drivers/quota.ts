import { readFileSync } from "node:fs"
import { hasErrno, Unsupported } from "../../base/errors.ts"
import { limitProject } from "../../sys/fs/project-quota.ts"
import type { VolumeQuota } from "../volume-options.ts"

/**
 * Puts the directory into a project of its own, whose limits these are; without any, they are lifted. Throws Unsupported with the
 * remedy where the file system counts no projects. Safe to repeat.
 */
export function limitDirectory(path: string, projectId: number, quota: VolumeQuota): void {
  try {
    limitProject(path, projectId, quota)
  } catch (cause) {
    if (!hasErrno(cause, "ENOTTY", "EOPNOTSUPP", "ENOSYS", "ESRCH", "EINVAL", "EPERM")) throw cause
    throw noQuota(path, cause as Error)
  }
}

/** The project of a volume: those of people are small numbers. */
export function projectOf(storage: string): number {
  return 0x4000_0000 + Number.parseInt(storage.slice(0, 7), 16)
}

function noQuota(path: string, cause: Error): Unsupported {
  const { type, target } = fileSystemOf(path)
  const remedies: Readonly<Record<string, string>> = {
    ext4: "unmount it, run tune2fs -O project -Q prjquota on its device, mount it with -o prjquota",
    xfs: "mount it with -o pquota",
  }
  return new Unsupported(`a volume cannot have a size here: ${type} at "${target}" counts no project quotas`, {
    field: "options",
    hint: `${remedies[type] ?? "use a file system that can: xfs, ext4"}; or keep the files in memory: type=tmpfs, o=size=…`,
    cause,
  })
}

/** From /proc/self/mountinfo, by the longest mount point. */
function fileSystemOf(path: string): { type: string; target: string } {
  let found = { type: "file system", target: "/" }
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n")) {
    const [before = "", after = ""] = line.split(" - ")
    const target = before.split(" ")[4] ?? "/"
    const isAbove = path === target || path.startsWith(target === "/" ? "/" : `${target}/`)
    if (isAbove && target.length >= found.target.length) found = { type: after.split(" ")[0] ?? "", target }
  }
  return found
}
