import { mkdirSync, statSync } from "node:fs"
import { FailedPrecondition } from "../base/errors.ts"
import type { OciMount } from "../spec/oci-runtime.ts"
import type { ContainerDeps } from "./deps.ts"
import type { Abortable, MountPoint } from "./container.ts"
import type { ContainerRecord } from "./record.ts"

/** `config.json`'s mounts (runtime-spec config.md#mounts). Volumes that are not there (any more) are made. */
export async function ociMounts(deps: ContainerDeps, mounts: readonly MountPoint[]): Promise<OciMount[]> {
  if (mounts.length === 0) return []
  const places = await makeVolumes(deps, mounts)
  makeBindSources(mounts)
  return mounts.map(({ type, source, name = "", target, readOnly, propagation = "rprivate", options = [] }) =>
    type === "tmpfs"
      ? { destination: target, type: "tmpfs", source: "tmpfs", options: [...options] }
      : {
          destination: target,
          type: "bind",
          source: type === "volume" ? (places.get(name) ?? "") : source,
          options: ["rbind", readOnly ? "ro" : "rw", propagation],
        },
  )
}

/** Makes the volumes among `mounts`; gives the host path of each by name. Safe to repeat. */
export async function makeVolumes(deps: ContainerDeps, mounts: readonly MountPoint[]): Promise<Map<string, string>> {
  const names = mounts.flatMap(({ name, anonymous }) => (name === undefined ? [] : [{ name, anonymous }]))
  if (names.length === 0) return new Map()
  const volumes = await deps.volumes()
  return new Map(names.map((options) => [options.name, volumes.create(options).mountpoint]))
}

/** `-v` makes a missing source, as docker does; `--mount` does not. Throws FailedPrecondition. */
function makeBindSources(mounts: readonly MountPoint[]): void {
  for (const { type, source, createSource } of mounts) {
    if (type !== "bind" || statSync(source, { throwIfNoEntry: false })) continue
    if (!createSource)
      throw new FailedPrecondition(`bind source path does not exist: "${source}"`, {
        hint: "create it, or remove the container",
      })
    mkdirSync(source, { recursive: true, mode: 0o755 })
  }
}

/**
 * At the first start, empty volumes get what the image has at their place (docker's rule), and belong to `owner` where it gives them to
 * nobody.
 */
export async function fillVolumes(
  deps: ContainerDeps,
  { spec, state }: ContainerRecord,
  rootfs: string,
  { abort, owner }: Abortable & { owner?: { uid: number; gid: number } } = {},
): Promise<void> {
  if (state.volumesFilled) return
  const mounts = spec.mounts.filter((mount) => mount.type === "volume")
  const volumes = mounts.length === 0 ? undefined : await deps.volumes()
  for (const { name = "", target, copyUp = false } of mounts)
    await volumes?.copyUp(volumes.get(name), rootfs, target, { signal: abort, owner, withoutFiles: !copyUp })
  state.volumesFilled = true
}
