import type { Database } from "../base/database.ts"
import { AlreadyExists, InvalidArgument, NotFound } from "../base/errors.ts"
import { checkRowVersion } from "../base/row-version.ts"
import type { Digest } from "../spec/digest.ts"
import type { WorkingImage, WorkingDefaults } from "./builder.ts"

const KEY = "working "

/** Key of a container's writable snapshot. */
export function workingKey({ id }: { id: string }): string {
  return `${KEY}${id}`
}

/** The container whose snapshot has this key. */
export function idOfKey(key: string): string | undefined {
  return key.startsWith(KEY) ? key.slice(KEY.length) : undefined
}

/** A row of `working_containers`. */
export interface WorkingRecord {
  id: string
  name: string
  imageName: string
  imageId: Digest | undefined
  createdAt: Date
  /** Asked for by `mount`; a reboot takes the mount, not this. */
  mounted: boolean
  workingImage: WorkingImage
  defaults: WorkingDefaults
}

interface Row {
  id: string
  name: string
  image_name: string
  image_id: Digest | null
  created_ms: number
  mounted: number
  draft: string
  defaults: string
  version: number
}

/** Of the JSON in `draft` and `defaults`. */
const WORKING_VERSION = 1

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/** The rows of working containers. Every call is one short statement or transaction. */
export class WorkingRecords {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Oldest first. */
  list(): WorkingRecord[] {
    return this.#db.all<Row>("SELECT * FROM working_containers ORDER BY created_ms, rowid").map(toRecord)
  }

  has(id: string): boolean {
    return this.#db.get("SELECT 1 FROM working_containers WHERE id = ?", id) !== undefined
  }

  /** By name, id or a prefix of it. Throws NotFound; InvalidArgument when a prefix fits several. */
  get(nameOrId: string): WorkingRecord {
    const exact = this.#db.get<Row>("SELECT * FROM working_containers WHERE id = ?1 OR name = ?1", nameOrId)
    if (exact) return toRecord(exact)
    const found = /^[0-9a-f]{1,64}$/.test(nameOrId)
      ? this.#db.all<Row>("SELECT * FROM working_containers WHERE id >= ? AND id < ?", nameOrId, `${nameOrId}g`)
      : []
    const [only, ...others] = found
    if (!only) throw new NotFound(`no such working container: "${nameOrId}"`, { hint: { do: "listWorkingContainers" } })
    if (others.length > 0)
      throw new InvalidArgument(`"${nameOrId}" matches ${found.length} working containers`, {
        hint: "give more digits",
      })
    return toRecord(only)
  }

  /** Without a name, the first free one of `base`, `base-1`, `base-2` … Throws AlreadyExists. */
  insert(record: Omit<WorkingRecord, "name">, wanted: { name?: string; base: string }): WorkingRecord {
    return this.#db.transaction(() => {
      const name = wanted.name ?? this.#freeName(wanted.base)
      this.#checkName(name)
      this.#db.run(
        `INSERT INTO working_containers (id, name, image_name, image_id, created_ms, draft, defaults, version)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        record.id,
        name,
        record.imageName,
        record.imageId ?? null,
        record.createdAt.getTime(),
        JSON.stringify(record.workingImage),
        JSON.stringify(record.defaults),
        WORKING_VERSION,
      )
      return { ...record, name }
    })
  }

  rename(id: string, name: string): void {
    this.#db.transaction(() => {
      this.#checkName(name)
      this.#db.run("UPDATE working_containers SET name = ? WHERE id = ?", name, id)
    })
  }

  setImage(id: string, workingImage: WorkingImage): void {
    this.#db.run("UPDATE working_containers SET draft = ? WHERE id = ?", JSON.stringify(workingImage), id)
  }

  setMounted(id: string, mounted: boolean): void {
    this.#db.run("UPDATE working_containers SET mounted = ? WHERE id = ?", mounted ? 1 : 0, id)
  }

  delete(id: string): void {
    this.#db.run("DELETE FROM working_containers WHERE id = ?", id)
  }

  /** Those that stand on an image: it cannot go before they do. */
  usersOfImage(imageId: Digest): { name: string; kind: "working container" }[] {
    return this.#db
      .all<{ name: string }>("SELECT name FROM working_containers WHERE image_id = ?", imageId)
      .map(({ name }) => ({ name, kind: "working container" as const }))
  }

  #checkName(name: string): void {
    if (!NAME.test(name) || name.length > 255)
      throw new InvalidArgument(`invalid working container name "${name.slice(0, 100)}"`, {
        hint: "letters, digits, `_`, `.` and `-`, a letter or digit first",
      })
    if (this.#isTaken(name))
      throw new AlreadyExists(`the name "${name}" is already in use by a working container`, {
        hint: { do: "removeWorkingContainer", container: name },
      })
  }

  #freeName(base: string): string {
    let name = base
    for (let count = 1; this.#isTaken(name); count++) name = `${base}-${count}`
    return name
  }

  #isTaken(name: string): boolean {
    return this.#db.get("SELECT 1 FROM working_containers WHERE name = ?", name) !== undefined
  }
}

function toRecord(row: Row): WorkingRecord {
  checkRowVersion(row, WORKING_VERSION, `working container "${row.name}"`)
  return {
    id: row.id,
    name: row.name,
    imageName: row.image_name,
    imageId: row.image_id ?? undefined,
    createdAt: new Date(row.created_ms),
    mounted: row.mounted === 1,
    workingImage: JSON.parse(row.draft) as WorkingImage,
    defaults: JSON.parse(row.defaults) as WorkingDefaults,
  }
}
