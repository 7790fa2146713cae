import type { Database } from "../base/database.ts"
import { AlreadyExists, NotFound } from "../base/errors.ts"
import { NamedRows } from "../base/named-rows.ts"
import { checkRowVersion } from "../base/row-version.ts"
import { shortId } from "../base/short-id.ts"
import type { Events } from "../event/event.ts"
import type { SandboxId } from "../sandbox/sandbox.ts"
import type { PodId, PodOptions } from "./pod.ts"

/** Of the JSON in `spec`. */
const POD_VERSION = 1

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
  readonly #rows: NamedRows<Row>
  readonly #events: Pick<Events, "append">

  constructor(db: Database, events: Pick<Events, "append">) {
    this.#db = db
    this.#rows = new NamedRows(db, "pods", "pod")
    this.#events = events
  }

  /** Newest first. */
  list(): PodRecord[] {
    return this.#rows.newestFirst().map(fromRow)
  }

  byId(id: string): PodRecord | undefined {
    const row = this.#rows.byId(id)
    return row && fromRow(row)
  }

  /** By id, name, or a prefix of an id. Throws NotFound; InvalidArgument when a prefix fits several. */
  get(nameOrId: string): PodRecord {
    const row = this.#rows.find(nameOrId)
    if (!row)
      throw new NotFound(`no such pod: "${nameOrId}"`, {
        hint: { do: "listPods" },
        data: { object: "pod", name: nameOrId },
      })
    return fromRow(row)
  }

  /** A missing name is generated. Throws AlreadyExists. */
  insert(record: Omit<PodRecord, "name"> & { name?: string | undefined }): PodRecord {
    return this.#db.transaction(() => {
      const name = record.name ?? this.#rows.freeName()
      const holder = this.#rows.holderOf(name)
      if (holder !== undefined)
        throw new AlreadyExists(`the pod name "${name}" is already in use by pod ${shortId(holder)}`, {
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

  /** Whether some pod may have this label: a look at the table's text. */
  hasLabel(key: string): boolean {
    return this.#db.get("SELECT 1 FROM pods WHERE instr(spec, ?) > 0 LIMIT 1", JSON.stringify(key)) !== undefined
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
