import type { Cancellable } from "../base/cancel.ts"
import { mkdirSync } from "node:fs"
import { crashPoint } from "../base/crash-point.ts"
import type { Database } from "../base/database.ts"
import { InvalidArgument } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { randomHex } from "../base/random-hex.ts"
import type { Events } from "../event/event.ts"
import { FileLocks } from "../sys/fs/file-locks.ts"
import type { VolumeDriver } from "./drivers/driver.ts"
import type { ImageDriverDeps } from "./drivers/image.ts"
import { VolumeHolds } from "./holds.ts"
import { VolumeRecords } from "./records.ts"
import { clearPlace } from "./removal.ts"
import { removeVolume } from "./remove.ts"
import { finishRenames } from "./rename.ts"
import type { SnapshotsDeps } from "./snapshots/snapshots.ts"
import type { TransportDeps } from "./transport/transport.ts"
import { stateOf } from "./volume-state.ts"
import { VOLUME_NAME, type VolumeDetails, type Volumes, type VolumeSnapshots } from "./volume.ts"

/** What the domain is handed. */
export interface VolumesDeps extends Pick<SnapshotsDeps, "runningWith" | "whileFrozen">, ImageDriverDeps {
  db: Database
  events: Pick<Events, "append">
  /** The store's root: data lies in `<root>/volumes/<name>/data`. */
  root: string
  /** Directories that no plugin may give for its own. */
  kept: readonly string[]
  bootId: string
  registries: TransportDeps["registries"]
  /** The containers that refer to a volume. */
  usedBy(name: string): readonly { id: string; name: string }[]
}

/** The volumes of one store. */
export function openVolumes(deps: VolumesDeps): Volumes {
  const { db, events, root, usedBy, runningWith, whileFrozen, bootId } = deps
  const directory = `${root}/volumes`
  const records = new VolumeRecords(db, events, directory)
  finishRenames(records, directory)

  const driverOf = (name: string): Promise<VolumeDriver> => openDriver(records.get(name).driver, deps)
  const lock: VolumesLock = (name, { signal }) =>
    new FileLocks(`${directory}/${name}`, `volume ${name}`).acquire("mounting", { signal })
  const holds = new VolumeHolds({ db, records, bootId, driverOf, lock })
  const tell: SnapshotsDeps["tell"] = (volume, action, snapshot) => records.tell(volume, action, { snapshot })
  const limits: Pick<SnapshotsDeps, "lift" | "limit"> = {
    lift: async (name, path) => (await import("./drivers/local.ts")).liftLimit(records.forDriver(name), path),
    limit: async (name) => await (await driverOf(name)).create(records.forDriver(name), false),
  }
  const snapshotsDeps = {
    directory,
    get: (name: string) => records.get(name),
    tell,
    runningWith,
    whileFrozen,
    ...limits,
  }
  const volumes: Volumes = {
    snapshots: {
      list: async (...args) => (await openSnapshotsOf(snapshotsDeps)).list(...args),
      create: async (...args) => (await openSnapshotsOf(snapshotsDeps)).create(...args),
      restore: async (...args) => (await openSnapshotsOf(snapshotsDeps)).restore(...args),
      remove: async (...args) => (await openSnapshotsOf(snapshotsDeps)).remove(...args),
    },
    list: () => records.list(),
    get: (name) => records.get(name),
    mountpoint: (name) => records.place(checkedName(name)),
    hold: (name, holder, options) => holds.hold(name, holder, options),
    release: (name, holder) => holds.release(name, holder),
    async details(name, options = {}) {
      const volume = records.get(name)
      const told = volume.isMounted ? await toldBy(name, options) : {}
      return { ...volume, mountCount: holds.count(name), ...stateOf(volume), status: {}, ...told }
    },

    async usage(name, { signal } = {}) {
      const { volumeUsage } = await import("./volume-usage.ts")
      return volumeUsage(records.forDriver(name), records.get(name), { snapshots: deps.snapshots, signal })
    },

    async create({ name = randomHex(32), ...given }) {
      checkedName(name)
      finishRenames(records, directory)
      const existing = records.find(name)
      const driver = await openDriver(given.driver ?? existing?.driver ?? "local", deps)
      if (existing === undefined) driver.validate(given.options ?? {})
      // the row first: a directory without one would never be found again
      const isNew = records.insert(name, given)
      crashPoint("volume:recorded")
      try {
        if (isNew) await clearPlace(directory, name)
        mkdirSync(`${directory}/${name}`, { recursive: true, mode: 0o700 })
        await driver.create(records.forDriver(name), isNew)
        if (isNew && driver.scope !== undefined) records.setScope(name, await driver.scope())
        crashPoint("volume:made")
      } catch (error) {
        if (isNew) await discard(name)
        throw error
      }
      return records.get(name)
    },

    async rename(name, to) {
      const { renameVolume } = await import("./rename.ts")
      renameVolume({ records, directory, usedBy, mountCount: (one) => holds.count(one) }, name, checkedName(to))
    },

    async remove(name, options) {
      checkedName(name)
      const removing = { ...deps, records, holds, directory, openDriver: (driver: string) => openDriver(driver, deps) }
      await removeVolume(removing, name, options)
    },

    async reload(options) {
      const { reloadPlugins } = await import("./plugins/reload.ts")
      return reloadPlugins(records, (name) => usedBy(name).length > 0, options)
    },

    async *export(name, options = {}) {
      const { exportVolume } = await import("./volume-archive.ts")
      yield* holds.whileReading(name, options, (place) => exportVolume(place, options))
    },

    async import(name, archive, options = {}) {
      const { importVolume } = await import("./volume-archive.ts")
      await holds.during(name, options, (place) => importVolume(place, archive, options))
    },

    push: async (...args) => (await transport()).push(transportDeps(), ...args),
    pull: async (...args) => (await transport()).pull(transportDeps(), ...args),

    async copyUp(volume, rootfs, path, options) {
      const { fillVolume } = await import("./fill.ts")
      await fillVolume(volume, `${directory}/${volume.name}`, { rootfs, path }, options)
    },
  }

  return volumes

  function transportDeps(): TransportDeps {
    return {
      ...snapshotsDeps,
      registries: deps.registries,
      volumes,
      find: (name) => records.find(name),
      during: (name, options, body) => holds.during(name, options, body),
    }
  }

  /** A plugin that is gone tells nothing, and the record is shown all the same. */
  async function toldBy(name: string, options: Cancellable): Promise<Partial<VolumeDetails>> {
    try {
      return (await (await driverOf(name)).inspect?.(records.forDriver(name), options)) ?? {}
    } catch (error) {
      if (options.signal?.aborted) throw error
      log.debug("the driver of a volume told nothing", { name, reason: String(error) })
      return {}
    }
  }

  /** One that could not be made. */
  async function discard(name: string): Promise<void> {
    records.delete(name)
    const { removeDirectory } = await import("./removal.ts")
    await removeDirectory(directory, name, { isKnown: (one) => records.owns(one) })
  }
}

const transport = () => import("./transport/transport.ts")

/** Loaded by those who use them. */
async function openSnapshotsOf(deps: SnapshotsDeps): Promise<VolumeSnapshots> {
  return (await import("./snapshots/snapshots.ts")).openSnapshots(deps)
}

type VolumesLock = ConstructorParameters<typeof VolumeHolds>[0]["lock"]

async function openDriver(name: string, deps: VolumesDeps): Promise<VolumeDriver> {
  if (name === "local") return (await import("./drivers/local.ts")).localDriver
  if (name === "image") return (await import("./drivers/image.ts")).imageDriver(deps)
  return (await import("./drivers/plugin.ts")).pluginDriver(name, deps.kept)
}

/** Safe to become a directory's name. */
function checkedName(name: string): string {
  if (VOLUME_NAME.test(name)) return name
  throw new InvalidArgument(`invalid volume name "${name.slice(0, 100)}"`, {
    hint: "a name has letters, digits, `_`, `.` and `-`, and begins with a letter or digit; a host path begins with /",
  })
}
