/**
 * Copies of a volume as it was: `volumes/<name>/snapshots/<snapshot>/data`, with `about.json` beside it. They go with the volume.
 *
 * A snapshot is made aside and renamed to its place, a restore made aside and exchanged with the volume's data: killed at any step,
 * either is there whole or not at all, and the next one that works on the volume takes away what is left.
 */
import { heeding, throwIfAborted } from "../../base/cancel.ts"
import { crashPoint } from "../../base/crash-point.ts"
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import { namesIn } from "../../base/names-in.ts"
import { FileLocks } from "../../sys/fs/file-locks.ts"
import { treeUsage } from "../../sys/fs/tree-usage.ts"
import { VOLUME_NAME, type Volume, type VolumeSnapshot, type VolumeSnapshots } from "../volume.ts"
import { ASIDE, LockedVolume, readAbout, sweepBelow, type SizeLimits } from "./locked-volume.ts"

/** What the snapshots of a store are handed. */
export interface SnapshotsDeps extends SizeLimits {
  /** Holds a directory for each volume. */
  directory: string
  get(name: string): Volume
  tell(volume: Volume, action: string, snapshot: string): void
  /** Containers that run, or are paused, with the volume. */
  runningWith(name: string): Promise<readonly { id: string; name: string }[]>
  whileFrozen<T>(ids: readonly string[], body: () => Promise<T>, signal: AbortSignal | undefined): Promise<T>
}

/** See `VolumeSnapshots`. */
export function openSnapshots(deps: SnapshotsDeps): VolumeSnapshots {
  const locked = (name: string, signal: AbortSignal | undefined): Promise<LockedVolume> =>
    LockedVolume.open(deps.get(name), deps.directory, signal)
  return {
    async list(name) {
      const home = `${deps.directory}/${deps.get(name).name}`
      using lock = new FileLocks(home, `volume ${name}`).tryAcquire("lock")
      // nobody works on it: what is aside is left by a killed one
      if (lock !== undefined) await sweepBelow(home)
      return await listAt(home, name)
    },
    async create(name, { snapshot = timeName(), signal, freeze = false } = {}) {
      checkName(snapshot)
      using held = await locked(name, signal)
      await held.sweep(signal)
      const aside = held.prepare(snapshot)
      const copy = (): Promise<void> =>
        heeding(signal, `the snapshot of volume "${name}"`, () => held.copyData(`${aside}/data`, signal))
      if (freeze)
        await deps.whileFrozen(
          (await deps.runningWith(name)).map(({ id }) => id),
          copy,
          signal,
        )
      else await copy()
      crashPoint("snapshot:copied")
      const made = held.publish(aside, snapshot)
      deps.tell(held.volume, "snapshot", snapshot)
      return made
    },
    async restore(name, snapshot, { force = false, signal } = {}) {
      checkName(snapshot)
      using held = await locked(name, signal)
      if (!force) await refuseRunning(deps, name)
      await held.sweep(signal)
      await heeding(signal, `the restoring of volume "${name}"`, () => held.restore(snapshot, deps, signal))
      deps.tell(held.volume, "restore", snapshot)
      await held.sweep()
    },
    async remove(name, snapshot, { signal } = {}) {
      checkName(snapshot)
      using held = await locked(name, signal)
      throwIfAborted(signal, `the removal of snapshot "${snapshot}"`)
      held.setAside(snapshot)
      deps.tell(held.volume, "snapshot-remove", snapshot)
      await held.sweep(signal)
    },
  }
}

/** Throws FailedPrecondition while a container runs with the volume. */
export async function refuseRunning({ runningWith }: Pick<SnapshotsDeps, "runningWith">, name: string): Promise<void> {
  const [user] = await runningWith(name)
  if (user === undefined) return
  throw new FailedPrecondition(`volume "${name}" is in use by container "${user.name}", which runs`, {
    hint: [
      { do: "stop", container: user.name },
      { do: "set", field: "force" },
    ],
    data: { object: "volume", name, user: user.id },
  })
}

async function listAt(home: string, volume: string): Promise<VolumeSnapshot[]> {
  const found: VolumeSnapshot[] = []
  for (const name of namesIn(`${home}/snapshots`)) {
    const about = readAbout(`${home}/snapshots/${name}`)
    if (name.startsWith(ASIDE) || about === undefined) continue
    const { bytes: sizeBytes, inodes: files } = await treeUsage(`${home}/snapshots/${name}/data`)
    found.push({ volume, name, ...about, sizeBytes, files })
  }
  return found.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.name < b.name ? -1 : 1))
}

function checkName(name: string): void {
  if (!VOLUME_NAME.test(name))
    throw new InvalidArgument(`invalid snapshot name "${name.slice(0, 100)}"`, {
      hint: "a name has letters, digits, `_`, `.` and `-`, and begins with a letter or digit",
    })
}

/** `20261129-203012.123`: in the order of time. */
function timeName(): string {
  return new Date().toISOString().replaceAll(/[-:Z]/g, "").replace("T", "-")
}
