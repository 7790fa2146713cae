import type { ChangesOptions, FileChange } from "../../snapshot/snapshot.ts"
import type { ContainerDeps } from "../deps.ts"

/** See `Containers.fileChanges`. */
export async function* fileChanges(
  deps: ContainerDeps,
  nameOrId: string,
  options: ChangesOptions = {},
): AsyncIterable<FileChange> {
  const { id } = deps.records.get(nameOrId)
  const snapshots = await deps.snapshots()
  /** `/etc` is changed by what a runtime made in it, when by that alone. */
  let pending: FileChange[] = []
  for await (const change of snapshots.changes(id, options)) {
    pending = pending.filter(({ path }) => change.path.startsWith(`${path}/`))
    if (isOfRuntime(change)) continue
    if (MAY_BE_TOUCHED.has(change.path) && change.kind === "changed") pending.push(change)
    else {
      yield* pending.splice(0)
      yield change
    }
  }
}

const MAY_BE_TOUCHED = new Set(["/etc", "/run"])
/** Mount points that a runtime makes where the image has none. */
const MADE_DIRECTORIES = new Set(["/dev", "/proc", "/sys", "/run/secrets", "/dev/pts", "/dev/shm", "/dev/mqueue"])
const MADE_FILES = new Set(["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv", "/dev/console"])

function isOfRuntime({ kind, path, type, sizeBytes }: FileChange): boolean {
  if (kind !== "added") return false
  return type === "directory" ? MADE_DIRECTORIES.has(path) : sizeBytes === 0 && MADE_FILES.has(path)
}
