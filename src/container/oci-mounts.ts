import { mkdirSync, realpathSync, statSync } from "node:fs"
import type { Cancellable } from "../base/cancel.ts"
import { FailedPrecondition, Unsupported } from "../base/errors.ts"
import { runAll } from "../base/run-all.ts"
import type { OciMount } from "../spec/oci-runtime.ts"
import { canRestrictAll, mountPointsBelow, restrictionsAt } from "../sys/fs/mount.ts"
import type { ContainerDeps } from "./deps.ts"
import type { Abortable, MountPoint } from "./container.ts"
import type { ContainerRecord } from "./record.ts"

/** `config.json`'s mounts (runtime-spec config.md#mounts), in their order. Volumes that are not there (any more) are made. */
export async function ociMounts(
  deps: ContainerDeps,
  { id, spec: { mounts } }: Pick<ContainerRecord, "id" | "spec">,
  waiting: Cancellable = {},
): Promise<OciMount[]> {
  if (mounts.length === 0) return []
  const places = await holdVolumes(deps, id, mounts, waiting)
  makeBindSources(mounts)
  return mounts.map((mount) => {
    const { type, source, name = "", target, options = [] } = mount
    if (type === "tmpfs" || type === "devpts")
      return { destination: target, type, source: type, options: [...options, ...(mount.readOnly ? ["ro"] : [])] }
    const from = type === "volume" ? (places.get(name) ?? "") : source
    return { destination: target, type: "bind", source: from, options: bindOptions(mount, from) }
  })
}

function bindOptions(mount: MountPoint, source: string): string[] {
  const { readOnly, recursion, propagation = "rprivate", options = [] } = mount
  const access = readOnly ? [readOnlyWord(recursion, source)] : []
  return [recursion === "none" ? "bind" : "rbind", ...access, propagation, ...options, ...inherited(mount, source)]
}

/** What the host does not allow where the source lies: crun would make writable what is mounted read-only there. */
function inherited({ readOnly, type, overlay, options = [] }: MountPoint, source: string): string[] {
  if (type === "image" || overlay !== undefined) return []
  const words = restrictionsAt(realpathSync(source))
  return words.filter((word) => {
    if (word === "ro") return !readOnly
    return !options.includes(word) && !options.includes(word.slice("no".length))
  })
}

/** `ro` is of the topmost mount alone; `rro` (mount_setattr(2)) of all that is mounted below it, too. */
function readOnlyWord(recursion: MountPoint["recursion"], source: string): "ro" | "rro" {
  if (recursion === "readonly" && !canRestrictAll())
    throw new Unsupported("this kernel cannot make what is mounted below read-only, too: that needs Linux 5.12", {
      field: "mounts",
      hint: "ask for ro in place of rro",
    })
  if (recursion === "readonly") return "rro"
  return recursion === undefined && mountPointsBelow(source).length > 0 && canRestrictAll() ? "rro" : "ro"
}

/** Makes the volumes among `mounts`; gives the host path of each by name, "" where a plugin tells it only when it mounts. Safe to repeat. */
export async function makeVolumes(deps: ContainerDeps, mounts: readonly MountPoint[]): Promise<Map<string, string>> {
  const wanted = mounts.flatMap(({ name, anonymous, volume }) =>
    name === undefined ? [] : [{ name, anonymous, ...volume }],
  )
  if (wanted.length === 0) return new Map()
  const volumes = await deps.volumes()
  const places = new Map<string, string>()
  for (const options of wanted) places.set(options.name, (await volumes.create(options)).mountpoint)
  return places
}

/** Makes them, and has the files of each mounted until the container `id` lets go of them (`releaseVolumes`). Safe to repeat. */
export async function holdVolumes(
  deps: ContainerDeps,
  id: string,
  mounts: readonly MountPoint[],
  options: Cancellable,
): Promise<Map<string, string>> {
  const places = await makeVolumes(deps, mounts)
  for (const name of places.keys()) places.set(name, await (await deps.volumes()).hold(name, id, options))
  return places
}

/** Safe to repeat. */
export async function releaseVolumes(deps: ContainerDeps, { id, spec }: ContainerRecord): Promise<void> {
  const names = spec.mounts.flatMap(({ name }) => name ?? [])
  if (names.length === 0) return
  const volumes = await deps.volumes()
  await runAll(
    `the volumes of container ${id}`,
    names.map((name) => async () => void (await volumes.release(name, id))),
  )
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
