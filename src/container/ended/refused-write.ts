/** A program that ended because it was not let write to a mount: said by it in the log, and proved by the owners of both sides. */
import { isSkiffError } from "../../base/errors.ts"
import type { MountAccess, MountPoint } from "../container.ts"
import type { ContainerDeps } from "../deps.ts"
import { runDirectory } from "../paths.ts"
import type { ContainerRecord } from "../record.ts"
import { tailLines } from "./last-words.ts"

/** In the words of a C library, Go, Node and Python, and of the kernel's read-only mounts. */
const REFUSED = /permission denied|EACCES|errno 13\b|read-only file system|EROFS|operation not permitted/i
/** A path in a message: quoted, or up to what cannot be of it. */
const PATH = /(?:\/[\w.+@%=,~-]+)+/g

/** Undefined when the log says nothing of it, or the program might have written there. */
export async function refusedWrite(
  deps: ContainerDeps,
  record: ContainerRecord,
): Promise<(MountAccess & { path: string; kind: MountPoint["type"] }) | undefined> {
  const { logPath, mounts, run } = record.spec
  const files = mounts.filter(({ type }) => type === "bind" || type === "volume")
  if (logPath === undefined || files.length === 0) return undefined
  for (const line of tailLines(logPath)
    .toReversed()
    .filter((one) => REFUSED.test(one))) {
    // a relative name is one in the working directory
    for (const path of [...(line.match(PATH) ?? []), `${run.workdir}/`]) {
      const point = mountOf(files, path)
      if (point === undefined) continue
      const access = await look(deps, record, point, path)
      if (access?.canWrite === false) return { ...access, path: path.replace(/(?<=.)\/$/, ""), kind: point.type }
    }
  }
  return undefined
}

/** The innermost that holds the path. */
function mountOf(mounts: readonly MountPoint[], path: string): MountPoint | undefined {
  return mounts
    .filter(({ target }) => path === target || path.startsWith(`${target}/`))
    .toSorted((a, b) => b.target.length - a.target.length)[0]
}

async function look(
  deps: ContainerDeps,
  record: ContainerRecord,
  point: MountPoint,
  path: string,
): Promise<MountAccess | undefined> {
  const { accessBelow } = await import("../ownership/mount-access.ts")
  const rootfs = `${runDirectory(deps, record.id)}/rootfs`
  try {
    return await accessBelow(deps, record, rootfs, { point, path: path.slice(point.target.length) })
  } catch (error) {
    // the root is gone, or its passwd is odd: nothing is known then
    if (isSkiffError(error) || (error as { code?: unknown }).code === "ENOENT") return undefined
    throw error
  }
}
