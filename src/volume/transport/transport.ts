/** Volumes that go to registries and come from them. */
import { readdirSync, statSync } from "node:fs"
import { heeding } from "../../base/cancel.ts"
import { crashPoint } from "../../base/crash-point.ts"
import { FailedPrecondition, isSkiffError } from "../../base/errors.ts"
import type { Registries } from "../../registry/registry.ts"
import { LockedVolume } from "../snapshots/locked-volume.ts"
import { refuseRunning, type SnapshotsDeps } from "../snapshots/snapshots.ts"
import type { PulledVolume, PushedVolume, Volume, VolumePullOptions, VolumePushOptions, Volumes } from "../volume.ts"
import { pushVolume } from "./push-volume.ts"
import { findRemoteVolume } from "./pull-volume.ts"

/** What the transport of a store is handed. */
export interface TransportDeps extends SnapshotsDeps {
  registries(): Promise<Registries>
  volumes: Pick<Volumes, "create" | "remove" | "snapshots">
  find(name: string): Volume | undefined
  /** Runs `body` while the volume's files can be seen. */
  during<T>(
    name: string,
    options: { signal?: AbortSignal | undefined },
    body: (place: string) => Promise<T>,
  ): Promise<T>
}

/** See `Volumes.push`. */
export async function push(
  deps: TransportDeps,
  name: string,
  to: string,
  options: VolumePushOptions = {},
): Promise<PushedVolume> {
  const { signal, freeze = false, snapshot } = options
  const volume = deps.get(name)
  const { labels } = volume
  const send = (directory: string): Promise<PushedVolume> =>
    heeding(signal, `the push of volume "${name}"`, async () =>
      pushVolume(await deps.registries(), { directory, name, labels }, to, options),
    )
  if (snapshot !== undefined) return await fromSnapshot(deps, volume, snapshot, send, signal)
  if (!freeze) return await deps.during(name, { signal }, send)
  // for as long as a copy takes, and not as long as the line
  const { name: made } = await deps.volumes.snapshots.create(name, { freeze, signal })
  try {
    return await fromSnapshot(deps, volume, made, send, signal)
  } finally {
    await deps.volumes.snapshots.remove(name, made)
  }
}

async function fromSnapshot<T>(
  deps: TransportDeps,
  volume: Volume,
  snapshot: string,
  send: (directory: string) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  // locked: it is not removed meanwhile
  using held = await LockedVolume.open(volume, deps.directory, signal)
  return await send(`${held.mustHave(snapshot)}/data`)
}

/** See `Volumes.pull`. */
export async function pull(
  deps: TransportDeps,
  reference: string,
  { name: wanted, force = false, ...options }: VolumePullOptions = {},
): Promise<PulledVolume> {
  const { signal } = options
  const remote = await findRemoteVolume(await deps.registries(), reference, options)
  const name = wanted ?? remote.config.name
  const existing = deps.find(name)
  if (existing !== undefined && !force) {
    await refuseRunning(deps, name)
    refuseFiles(existing)
  }
  const volume = existing ?? (await deps.volumes.create({ name, labels: remote.config.labels ?? {} }))
  crashPoint("volume-pull:created")
  try {
    using held = await LockedVolume.open(volume, deps.directory, signal)
    await held.sweep(signal)
    try {
      const { files } = await heeding(signal, `the pull of volume "${name}"`, () =>
        held.replace((aside) => remote.extract(aside), deps),
      )
      deps.tell(volume, "pull", remote.reference)
      return { name, reference: remote.reference, digest: remote.digest, files, tarBytes: remote.config.tarBytes }
    } finally {
      await held.sweep()
    }
  } catch (error) {
    if (existing === undefined) await discard(deps, name)
    throw error
  }
}

/** Throws FailedPrecondition. */
function refuseFiles({ name, mountpoint }: Volume): void {
  if (!statSync(mountpoint, { throwIfNoEntry: false }) || readdirSync(mountpoint).length === 0) return
  throw new FailedPrecondition(`volume "${name}" has files already`, {
    hint: [{ do: "set", field: "force" }, "or give another name"],
    data: { object: "volume", name },
  })
}

async function discard({ volumes }: TransportDeps, name: string): Promise<void> {
  try {
    await volumes.remove(name, { force: true })
  } catch (error) {
    // somebody uses it by now
    if (!isSkiffError(error, "FailedPrecondition")) throw error
  }
}
