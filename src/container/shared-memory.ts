import { mkdirSync } from "node:fs"
import type { OciMount } from "../spec/oci-runtime.ts"
import { MountFlag, mountAt } from "../sys/fs/mount.ts"
import type { ContainerDeps } from "./deps.ts"
import { shmOwner } from "./namespaces.ts"
import { shmDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

const DEFAULT_BYTES = 64 * 1024 * 1024

/**
 * The /dev/shm of a container that shares it, or that joined one which does: it lies where both can bind it, and goes with its
 * owner. Nothing for all others, whose runtime mounts one.
 */
export function mountShm(deps: ContainerDeps, record: ContainerRecord): OciMount[] {
  const owner = shmOwner(deps, record)
  if (owner === undefined) return []
  const source = shmDirectory(deps, owner.id)
  if (owner.id === record.id) {
    mkdirSync(source, { recursive: true, mode: 0o700 })
    mountAt(source, {
      type: "tmpfs",
      source: "shm",
      data: ["mode=1777", `size=${owner.spec.options.shmSizeBytes ?? DEFAULT_BYTES}`],
      flags: MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec,
    })
  }
  return [{ destination: "/dev/shm", type: "bind", source, options: ["bind", "nosuid", "nodev", "noexec"] }]
}
