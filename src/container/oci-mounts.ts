import { mkdirSync, statSync } from "node:fs"
import { FailedPrecondition } from "../base/errors.ts"
import type { OciMount } from "../spec/oci-runtime.ts"
import type { ContainerHost } from "./host.ts"
import type { ContainerRecord, MountPoint } from "./record.ts"

/** `config.json`'s mounts (runtime-spec config.md#mounts). Pure. */
export function ociMounts(mounts: readonly MountPoint[]): OciMount[] {
  return mounts.map(({ type, source, target, readOnly, propagation = "rprivate", options = [] }) =>
    type === "tmpfs"
      ? { destination: target, type: "tmpfs", source: "tmpfs", options: [...options] }
      : { destination: target, type: "bind", source, options: ["rbind", readOnly ? "ro" : "rw", propagation] },
  )
}

/** `-v` makes a missing source, as docker does; `--mount` does not. Throws FailedPrecondition. */
export function makeBindSources(mounts: readonly MountPoint[]): void {
  for (const { type, source, createSource } of mounts) {
    if (type === "tmpfs" || statSync(source, { throwIfNoEntry: false })) continue
    if (type === "volume" || !createSource)
      throw new FailedPrecondition(`${type} source path does not exist: "${source}"`, {
        hint: type === "volume" ? "the volume was removed by hand: make it again" : "make it, or remove the container",
      })
    mkdirSync(source, { recursive: true, mode: 0o755 })
  }
}

/** At the first start, empty volumes get what the image has at their place (docker's rule). */
export async function fillVolumes(
  host: ContainerHost,
  { spec, state }: ContainerRecord,
  rootfs: string,
): Promise<void> {
  if (state.volumesFilled) return
  state.volumesFilled = true
  const mounts = spec.mounts.filter((mount) => mount.type === "volume" && mount.copyUp)
  if (mounts.length === 0) return
  const volumes = await host.volumes()
  for (const { name = "", target } of mounts) await volumes.copyUp(volumes.get(name), rootfs, target)
}
