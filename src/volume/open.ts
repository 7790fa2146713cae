import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs"
import { heeding, throwIfAborted } from "../base/cancel.ts"
import type { Database } from "../base/database.ts"
import { FailedPrecondition, hasErrno, InvalidArgument, isSkiffError, NotFound } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { namesIn } from "../base/names-in.ts"
import { randomHex } from "../base/random-hex.ts"
import type { Events, NewEvent } from "../event/event.ts"
import { setOwner } from "../sys/fs/attributes.ts"
import { statOf } from "../sys/fs/directory.ts"
import { FileLocks } from "../sys/fs/file-locks.ts"
import { checkDevice, parseVolumeOptions } from "./volume-options.ts"
import { VOLUME_NAME, type Volume, type VolumeOptions, type Volumes } from "./volume.ts"
import type { SnapshotsDeps } from "./snapshots/snapshots.ts"

/** Begins the names of what is being removed: of no volume. */
const REMOVED = ".removed-"

interface Row {
  name: string
  anonymous: number
  labels: string
  options: string
  created_at: number
}

/** What the domain is handed. */
export interface VolumesDeps extends Pick<SnapshotsDeps, "runningWith" | "whileFrozen"> {
  db: Database
  events: Pick<Events, "append">
  /** The store's root: data lies in `<root>/volumes/<name>/data`. */
  root: string
  /** The containers that refer to a volume. */
  usedBy(name: string): readonly { id: string; name: string }[]
}

/** Volumes as directories of this host. */
export function openVolumes({ db, events, root, usedBy, runningWith, whileFrozen }: VolumesDeps): Volumes {
  const directory = `${root}/volumes`

  const ownDirectory = (name: string): string => `${directory}/${checkedName(name)}/data`

  const placeOf = (row: Row): string => parseVolumeOptions(optionsOf(row)).device ?? ownDirectory(row.name)

  const mountpoint = (name: string): string => {
    const row = db.get<Row>("SELECT * FROM volumes WHERE name = ?", checkedName(name))
    return row === undefined ? ownDirectory(name) : placeOf(row)
  }

  const toVolume = (row: Row): Volume => ({
    name: row.name,
    driver: "local",
    labels: JSON.parse(row.labels) as Record<string, string>,
    options: optionsOf(row),
    createdAt: new Date(row.created_at),
    mountpoint: placeOf(row),
    anonymous: row.anonymous === 1,
  })

  const find = (name: string): Volume | undefined => {
    const row = db.get<Row>("SELECT * FROM volumes WHERE name = ?", name)
    return row && toVolume(row)
  }

  const get = (name: string): Volume => {
    const volume = find(name)
    if (!volume)
      throw new NotFound(`no such volume: "${name}"`, {
        hint: { do: "listVolumes" },
        data: { object: "volume", name },
      })
    return volume
  }

  const tell = ({ name, labels }: Volume, action: string, snapshot: string): void =>
    db.transaction(() => events.append(volumeEvent(name, action, { ...labels, snapshot })))
  const snapshots = async () => {
    const { openSnapshots } = await import("./snapshots/snapshots.ts")
    return openSnapshots({ directory, get, tell, runningWith, whileFrozen })
  }
  return {
    snapshots: {
      list: async (...args) => (await snapshots()).list(...args),
      create: async (...args) => (await snapshots()).create(...args),
      restore: async (...args) => (await snapshots()).restore(...args),
      remove: async (...args) => (await snapshots()).remove(...args),
    },
    list: () => db.all<Row>("SELECT * FROM volumes ORDER BY name").map(toVolume),
    get,
    mountpoint,

    create({ name = randomName(), labels = {}, anonymous = false, options = {} }) {
      checkedName(name)
      const { device, uid, gid } = parseVolumeOptions(options)
      if (device !== undefined) checkDevice(device)
      let isNew = false
      // the row first: a directory without one would never be found again
      db.transaction(() => {
        const made = db.run(
          "INSERT OR IGNORE INTO volumes (name, anonymous, labels, created_at, options) VALUES (?, ?, ?, ?, ?)",
          name,
          anonymous ? 1 : 0,
          JSON.stringify(labels),
          Date.now(),
          JSON.stringify(options),
        )
        isNew = made > 0
        if (isNew) events.append(volumeEvent(name, "create", labels))
      })
      const volume = get(name)
      mkdirSync(`${directory}/${name}`, { recursive: true, mode: 0o700 })
      try {
        // the container's users must be able to enter it, whatever our umask
        mkdirSync(ownDirectory(name), { mode: 0o755 })
        if (isNew && (uid !== undefined || gid !== undefined)) chownSync(ownDirectory(name), uid ?? 0, gid ?? 0)
      } catch (error) {
        if (!hasErrno(error, "EEXIST")) throw error
      }
      return volume
    },

    async remove(name, { force = false, exceptFor, signal } = {}) {
      const isRepeat = force || exceptFor !== undefined
      checkedName(name)
      throwIfAborted(signal, `the removal of volume "${name}"`)
      if (!isRepeat) get(name)
      db.transaction(() => {
        const user = usedBy(name).find(({ id }) => id !== exceptFor)
        if (user)
          throw new FailedPrecondition(`volume "${name}" is in use by container "${user.name}"`, {
            hint: { do: "removeForced", container: user.name },
            data: { object: "volume", name, user: user.id },
          })
        if (db.run("DELETE FROM volumes WHERE name = ?", name) > 0) events.append(volumeEvent(name, "destroy"))
      })
      const aside = `${REMOVED}${randomName()}`
      setAside(`${directory}/${name}`, `${directory}/${aside}`)
      await heeding(signal, `the removal of volume "${name}"`, () => removeAside(directory, aside, signal))
    },

    async *export(name, options) {
      const { exportVolume } = await import("./volume-archive.ts")
      yield* exportVolume(get(name).mountpoint, options)
    },

    async import(name, archive, options) {
      const { importVolume } = await import("./volume-archive.ts")
      await importVolume(get(name).mountpoint, archive, options)
    },

    async copyUp({ name, mountpoint: data, options }, rootfs, path, { signal, owner, withoutFiles = false } = {}) {
      // of two containers that start at once, one fills it
      using _ = await new FileLocks(`${directory}/${name}`, `volume ${name}`).acquire("lock", { signal })
      const mark = `${directory}/${name}/half-filled`
      if (existsSync(mark)) await emptyDirectory(data)
      else if (readdirSync(data).length > 0) return
      writeFileSync(mark, "", { mode: 0o600 })
      const { copyTree } = await import("../sys/fs/copy-tree.ts")
      try {
        if (!withoutFiles)
          await heeding(signal, `filling volume "${name}"`, () => copyTree(rootfs, path, data, "/", { signal }))
      } catch (error) {
        // an image need not have the directory
        if (!isSkiffError(error, "NotFound")) throw error
      }
      // a directory of the host is whose it is
      if (parseVolumeOptions(options).device === undefined && owner !== undefined) giveUnlessOwned(data, owner)
      unlinkSync(mark)
    },
  }
}

function optionsOf({ options }: Row): VolumeOptions {
  return JSON.parse(options) as VolumeOptions
}

/** What the image gives to nobody in particular is root's: the program that is to write there would be refused (docker's oldest complaint). */
function giveUnlessOwned(directory: string, { uid, gid }: { uid: number; gid: number }): void {
  const fd = openSync(directory, "r")
  try {
    const there = statOf(fd)
    if (there.uid === 0 && there.gid === 0) setOwner(fd, uid, gid)
  } finally {
    closeSync(fd)
  }
}

/** What a killed copy left. No container has mounted it: that comes after. */
async function emptyDirectory(path: string): Promise<void> {
  const { removeTree } = await import("../sys/fs/remove-tree.ts")
  for (const name of readdirSync(path)) await removeTree(`${path}/${name}`)
}

/** Renamed first: a volume of the same name made meanwhile is not touched. */
function setAside(path: string, aside: string): void {
  try {
    renameSync(path, aside)
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
  }
}

/** Then what others set aside, who were killed or cancelled before it was removed. */
async function removeAside(directory: string, own: string, signal: AbortSignal | undefined): Promise<void> {
  const { removeTree } = await import("../sys/fs/remove-tree.ts")
  await removeTree(`${directory}/${own}`, signal)
  for (const name of namesIn(directory).filter((each) => each.startsWith(REMOVED)))
    try {
      await removeTree(`${directory}/${name}`, signal)
    } catch (error) {
      if (signal?.aborted) throw error
      log.debug("what is left of a removed volume stays", { name, reason: String(error) })
    }
}

function volumeEvent(name: string, action: string, labels: Record<string, string> = {}): NewEvent {
  return { type: "volume", action, actor: { id: name, attributes: { driver: "local", ...labels, name } } }
}

/** Safe to become a directory's name. */
function checkedName(name: string): string {
  if (VOLUME_NAME.test(name)) return name
  throw new InvalidArgument(`invalid volume name "${name.slice(0, 100)}"`, {
    hint: "a name has letters, digits, `_`, `.` and `-`, and begins with a letter or digit; a host path begins with /",
  })
}

/** 64 hex digits. */
function randomName(): string {
  return randomHex(32)
}
