import type { Database } from "../base/database.ts"
import { AlreadyExists, NotFound } from "../base/errors.ts"
import { randomHex } from "../base/random-hex.ts"
import type { Events, NewEvent } from "../event/event.ts"
import { isMounted, parseVolumeOptions } from "./volume-options.ts"
import { type NewVolume, type Volume, type VolumeOptions } from "./volume.ts"
import type { DriverVolume } from "./drivers/driver.ts"

interface Row {
  name: string
  anonymous: number
  labels: string
  options: string
  created_at: number
  driver: string
  mountpoint: string
  storage: string
  former: string
  scope: "local" | "global"
}

/** The rows of volumes. */
export class VolumeRecords {
  readonly #db: Database
  readonly #events: Pick<Events, "append">
  /** Holds a directory for each. */
  readonly #directory: string

  constructor(db: Database, events: Pick<Events, "append">, directory: string) {
    this.#db = db
    this.#events = events
    this.#directory = directory
  }

  list(): Volume[] {
    return this.#db.all<Row>("SELECT * FROM volumes ORDER BY name").map((row) => this.#volume(row))
  }

  find(name: string): Volume | undefined {
    const row = this.#row(name)
    return row && this.#volume(row)
  }

  /** Throws NotFound. */
  get(name: string): Volume {
    const volume = this.find(name)
    if (volume) return volume
    throw new NotFound(`no such volume: "${name}"`, { hint: { do: "listVolumes" }, data: { object: "volume", name } })
  }

  /** As its driver is told of it. Throws NotFound. */
  forDriver(name: string): DriverVolume {
    const { options, mountpoint } = this.get(name)
    return {
      name,
      options,
      mountpoint,
      directory: `${this.#directory}/${name}`,
      storage: this.#row(name)?.storage ?? "",
    }
  }

  /** False: there is one already. Throws AlreadyExists when that one has another driver than was asked for. */
  insert(name: string, { driver, options = {}, labels = {}, anonymous = false }: NewVolume): boolean {
    return this.#db.transaction(() => {
      const made = this.#db.run(
        "INSERT OR IGNORE INTO volumes (name, anonymous, labels, created_at, options, driver, storage) VALUES (?, ?, ?, ?, ?, ?, ?)",
        name,
        anonymous ? 1 : 0,
        JSON.stringify(labels),
        Date.now(),
        JSON.stringify(options),
        driver ?? "local",
        randomHex(32),
      )
      if (made > 0) this.#tell(name, driver ?? "local", "create", labels)
      else this.#checkDriver(name, driver)
      return made > 0
    })
  }

  /** Safe to repeat. `check` throws to keep it. */
  delete(name: string, check: () => void = () => {}): void {
    this.#db.transaction(() => {
      check()
      const driver = this.#row(name)?.driver ?? "local"
      if (this.#db.run("DELETE FROM volumes WHERE name = ?", name) === 0) return
      this.#db.run("DELETE FROM volume_holds WHERE volume = ?", name)
      this.#tell(name, driver, "destroy")
    })
  }

  /** Its directory has the former name, until `hasMoved`. Throws AlreadyExists. */
  rename(name: string, to: string, check: () => void): void {
    this.#db.transaction(() => {
      check()
      const { driver } = this.get(name)
      if (this.#row(to) !== undefined)
        throw new AlreadyExists(`volume with name ${to} already exists: volume already exists`, {
          hint: "choose another name",
        })
      this.#db.run("UPDATE volumes SET name = ?, former = ?, anonymous = 0 WHERE name = ?", to, name, name)
      this.#tell(to, driver, "rename", { oldName: name })
    })
  }

  /** Whether the directory of that name is a volume's. */
  owns(name: string): boolean {
    return this.#db.get("SELECT 1 FROM volumes WHERE name = ?1 OR former = ?1", name) !== undefined
  }

  /** The keys of all of them, see `DriverVolume.storage`. */
  storages(): ReadonlySet<string> {
    return new Set(this.#db.all<{ storage: string }>("SELECT storage FROM volumes").map(({ storage }) => storage))
  }

  /** Those whose directories have not followed their names. */
  moving(): { name: string; former: string }[] {
    return this.#db.all("SELECT name, former FROM volumes WHERE former <> ''")
  }

  hasMoved(name: string): void {
    this.#db.run("UPDATE volumes SET former = '' WHERE name = ?", name)
  }

  setScope(name: string, scope: Volume["scope"]): void {
    this.#db.run("UPDATE volumes SET scope = ? WHERE name = ?", scope, name)
  }

  /** Where a plugin said that the files are; "" when nowhere. */
  setMountpoint(name: string, mountpoint: string): void {
    this.#db.run("UPDATE volumes SET mountpoint = ? WHERE name = ?", mountpoint, name)
  }

  /** Where the data of a volume of that name lie, or would. */
  place(name: string): string {
    return this.find(name)?.mountpoint ?? this.#ownDirectory(name)
  }

  tell({ name, labels, driver }: Volume, action: string, attributes: Record<string, string>): void {
    this.#db.transaction(() => this.#tell(name, driver, action, { ...labels, ...attributes }))
  }

  #row(name: string): Row | undefined {
    return this.#db.get<Row>("SELECT * FROM volumes WHERE name = ?", name)
  }

  #volume(row: Row): Volume {
    const options = JSON.parse(row.options) as VolumeOptions
    return {
      name: row.name,
      driver: row.driver,
      labels: JSON.parse(row.labels) as Record<string, string>,
      options,
      createdAt: new Date(row.created_at),
      mountpoint: this.#place(row, options),
      anonymous: row.anonymous === 1,
      isMounted: isMounted({ driver: row.driver, options }),
      scope: row.scope,
      storageId: row.driver === "image" ? row.storage : "",
    }
  }

  #place({ name, driver, mountpoint }: Row, options: VolumeOptions): string {
    if (driver === "image") return this.#ownDirectory(name)
    if (driver !== "local") return mountpoint
    const place = parseVolumeOptions(options)
    return place.kind === "host" ? place.device : this.#ownDirectory(name)
  }

  #ownDirectory(name: string): string {
    return `${this.#directory}/${name}/data`
  }

  #checkDriver(name: string, wanted: string | undefined): void {
    const { driver } = this.get(name)
    if (wanted !== undefined && wanted !== driver)
      throw new AlreadyExists(`a volume named "${name}" already exists with the "${driver}" driver`, {
        field: "driver",
        hint: "choose a different volume name",
      })
  }

  #tell(name: string, driver: string, action: string, attributes: Record<string, string> = {}): void {
    this.#events.append(volumeEvent(name, driver, action, attributes))
  }
}

function volumeEvent(name: string, driver: string, action: string, attributes: Record<string, string>): NewEvent {
  return { type: "volume", action, actor: { id: name, attributes: { driver, ...attributes, name } } }
}
