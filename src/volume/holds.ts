import type { Bytes } from "../base/bytes.ts"
import type { Cancellable } from "../base/cancel.ts"
import { crashPoint } from "../base/crash-point.ts"
import type { Database } from "../base/database.ts"
import { randomHex } from "../base/random-hex.ts"
import { thisProcess } from "../sys/process/process-identity.ts"
import { processStartTime } from "../sys/process/process.ts"
import type { HeldLock } from "../sys/fs/file-locks.ts"
import type { VolumeDriver } from "./drivers/driver.ts"
import type { VolumeRecords } from "./records.ts"

/** What `openHolds` is handed. */
export interface HoldsDeps {
  db: Database
  records: VolumeRecords
  bootId: string
  driverOf(name: string): Promise<VolumeDriver>
  lock(name: string, options: Cancellable): Promise<HeldLock>
}

/**
 * Who has the files of a volume mounted: containers by their ids, commands, people. A hold is written down before the mount is made, and
 * taken away before it is unmounted: killed between, the mount stays until the next one lets go, or the volume goes.
 */
export class VolumeHolds {
  readonly #deps: HoldsDeps

  constructor(deps: HoldsDeps) {
    this.#deps = deps
  }

  /** Of this boot, and by those that live. */
  count(name: string): number {
    const { db, bootId } = this.#deps
    const rows = db.all<{ holder: string; count: number }>(
      "SELECT holder, count FROM volume_holds WHERE volume = ? AND boot_id = ?",
      name,
      bootId,
    )
    return rows.filter(({ holder }) => isHeld(holder)).reduce((sum, { count }) => sum + count, 0)
  }

  /** Mounts it, or finds it mounted; gives where. `again`: one more hold of the same holder counts. */
  async hold(
    name: string,
    holder: string,
    { again = false, ...options }: Cancellable & { again?: boolean } = {},
  ): Promise<string> {
    const { db, records, bootId, driverOf } = this.#deps
    const volume = records.get(name)
    if (!volume.isMounted) return volume.mountpoint
    const driver = await driverOf(name)
    using _ = await this.#deps.lock(name, options)
    this.#forgetFormer(name)
    db.run(
      `INSERT INTO volume_holds VALUES (?, ?, ?, 1)
         ON CONFLICT (volume, holder) DO UPDATE SET count = CASE WHEN ? THEN count + 1 ELSE count END`,
      name,
      holder,
      bootId,
      again ? 1 : 0,
    )
    crashPoint("volume:held")
    try {
      const place = await driver.mount(records.forDriver(name), holder, options)
      if (records.get(name).mountpoint !== place) records.setMountpoint(name, place)
      crashPoint("volume:mounted")
      return place
    } catch (error) {
      this.#drop(name, holder)
      throw error
    }
  }

  /** False when it was not held. Safe to repeat. */
  async release(name: string, holder: string): Promise<boolean> {
    const { records, driverOf } = this.#deps
    if (records.find(name)?.isMounted !== true || !this.#isHolder(name, holder)) return false
    const driver = await driverOf(name)
    using _ = await this.#deps.lock(name, {})
    this.#forgetFormer(name)
    const wasHeld = this.#isHolder(name, holder)
    this.#drop(name, holder)
    crashPoint("volume:released")
    if (!this.#isHolder(name, holder)) await driver.unmount(records.forDriver(name), holder, this.count(name) === 0)
    return wasHeld
  }

  /** Whoever has it mounted lets go: it is being removed. */
  async releaseAll(name: string): Promise<void> {
    const { db, records, driverOf } = this.#deps
    const driver = await driverOf(name)
    using _ = await this.#deps.lock(name, {})
    const holders = db.all<{ holder: string }>("SELECT holder FROM volume_holds WHERE volume = ?", name)
    for (const [index, { holder }] of holders.entries())
      await driver.unmount(records.forDriver(name), holder, index === holders.length - 1)
    db.run("DELETE FROM volume_holds WHERE volume = ?", name)
  }

  /** While `body` runs; a killed one is forgotten. */
  async during<T>(name: string, options: Cancellable, body: (place: string) => Promise<T>): Promise<T> {
    const holder = this.#ownHolder()
    const place = await this.hold(name, holder, options)
    try {
      return await body(place)
    } finally {
      await this.release(name, holder)
    }
  }

  /** `during`, for what is read bit by bit. */
  async *whileReading(name: string, options: Cancellable, read: (place: string) => Bytes): Bytes {
    const holder = this.#ownHolder()
    const place = await this.hold(name, holder, options)
    try {
      yield* read(place)
    } finally {
      await this.release(name, holder)
    }
  }

  #ownHolder(): string {
    const { pid, startTime } = thisProcess()
    return `process:${pid}:${startTime}:${randomHex(4)}`
  }

  #isHolder(name: string, holder: string): boolean {
    return this.#deps.db.get("SELECT 1 FROM volume_holds WHERE volume = ? AND holder = ?", name, holder) !== undefined
  }

  #drop(name: string, holder: string): void {
    const { db } = this.#deps
    db.transaction(() => {
      db.run("UPDATE volume_holds SET count = count - 1 WHERE volume = ? AND holder = ?", name, holder)
      db.run("DELETE FROM volume_holds WHERE volume = ? AND holder = ? AND count <= 0", name, holder)
    })
  }

  /** Of an earlier boot, and of commands that are gone. */
  #forgetFormer(name: string): void {
    const { db, bootId } = this.#deps
    db.run("DELETE FROM volume_holds WHERE volume = ? AND boot_id <> ?", name, bootId)
    for (const { holder } of db.all<{ holder: string }>("SELECT holder FROM volume_holds WHERE volume = ?", name))
      if (!isHeld(holder)) db.run("DELETE FROM volume_holds WHERE volume = ? AND holder = ?", name, holder)
  }
}

/** A command's hold ends with it. */
function isHeld(holder: string): boolean {
  const [, pid, startTime] = /^process:(\d+):(\d+):/.exec(holder) ?? []
  return pid === undefined || startTime === undefined || String(processStartTime(Number(pid))) === startTime
}
