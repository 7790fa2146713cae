import type { Database } from "../base/database.ts"
import { AlreadyExists, InvalidArgument, NotFound } from "../base/errors.ts"
import { generateName } from "../base/random-name.ts"
import { checkRowVersion } from "../base/row-version.ts"
import type { Events } from "../event/event.ts"
import type { SandboxId } from "../sandbox/sandbox.ts"
import type { PodId, PodOptions } from "./pod.ts"

/** Of the JSON in `spec`. */
const POD_VERSION = 1
const MAX_NAME_ATTEMPTS = 20

/** One row of the table of pods. */
export interface PodRecord {
  id: PodId
  name: string
  createdAt: number
  /** A removal was begun, and is finished by who finds it. */
  removing: boolean
  spec: {
    options: PodOptions
    /** Written down before the sandbox is made. Absent: the pod has none. */
    sandboxId?: SandboxId
  }
}

interface Row {
  id: string
  name: string
  created_at: number
  removing: number
  version: number
  spec: string
}

/** The rows of pods. Each change tells its event. */
export class PodRecords {
  readonly #db: Database
  readonly #events: Pick<Events, "append">

  constructor(db: Database, events: Pick<Events, "append">) {
    this.#db = db
    this.#events = events
  }

  /** Newest first. */
  list(): PodRecord[] {
    return this.#db.all<Row>("SELECT * FROM pods ORDER BY created_at DESC, rowid DESC").map(fromRow)
  }

  byId(id: string): PodRecord | undefined {
    const row = this.#db.get<Row>("SELECT * FROM pods WHERE id = ?", id)
    return row && fromRow(row)
  }

  /** By id, name, or a prefix of an id. Throws NotFound; InvalidArgument when a prefix fits several. */
  get(nameOrId: string): PodRecord {
    const [exact] = this.#db.all<Row>("SELECT * FROM pods WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC", nameOrId)
    if (exact) return fromRow(exact)
    const isPrefix = /^[0-9a-f]{1,64}$/.test(nameOrId)
    const [first, second] = isPrefix
      ? this.#db.all<Row>("SELECT * FROM pods WHERE id >= ? AND id < ? LIMIT 2", nameOrId, `${nameOrId}g`)
      : []
    if (!first)
      throw new NotFound(`no such pod: "${nameOrId}"`, {
        hint: { do: "listPods" },
        data: { object: "pod", name: nameOrId },
      })
    if (second) throw new InvalidArgument(`pod id prefix "${nameOrId}" is ambiguous`, { hint: "give more digits" })
    return fromRow(first)
  }

  /** A missing name is generated. Throws AlreadyExists. */
  insert(record: Omit<PodRecord, "name"> & { name?: string | undefined }): PodRecord {
    return this.#db.transaction(() => {
      const name = record.name ?? this.#freeName()
      const holder = this.#db.get<{ id: string }>("SELECT id FROM pods WHERE name = ?", name)
      if (holder)
        throw new AlreadyExists(`the pod name "${name}" is already in use by pod ${holder.id.slice(0, 12)}`, {
          field: "name",
          data: { object: "pod", name },
          hint: [{ do: "set", field: "replace" }, "choose another name"],
        })
      this.#db.run(
        "INSERT INTO pods (id, name, created_at, removing, version, spec) VALUES (?, ?, ?, 0, ?, ?)",
        record.id,
        name,
        record.createdAt,
        POD_VERSION,
        JSON.stringify(record.spec),
      )
      const named = { ...record, name }
      this.tell(named, "create")
      return named
    })
  }

  markRemoving({ id }: PodRecord): void {
    this.#db.run("UPDATE pods SET removing = 1 WHERE id = ?", id)
  }

  delete(record: PodRecord): void {
    this.#db.transaction(() => {
      if (this.#db.run("DELETE FROM pods WHERE id = ?", record.id) > 0) this.tell(record, "remove")
    })
  }

  /** What happened to a pod and changed nothing of its row. */
  tell({ id, name, spec }: PodRecord, action: string): void {
    this.#events.append({ type: "pod", action, actor: { id, attributes: { ...spec.options.labels, name } } })
  }

  #freeName(): string {
    for (let attempt = 0; ; attempt++) {
      const name = generateName(attempt)
      if (attempt === MAX_NAME_ATTEMPTS || !this.#db.get("SELECT 1 FROM pods WHERE name = ?", name)) return name
    }
  }
}

function fromRow(row: Row): PodRecord {
  checkRowVersion(row, POD_VERSION, `pod "${row.name}"`)
  return {
    id: row.id as PodId,
    name: row.name,
    createdAt: row.created_at,
    removing: row.removing === 1,
    spec: JSON.parse(row.spec) as PodRecord["spec"],
  }
}
