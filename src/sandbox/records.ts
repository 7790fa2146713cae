import type { Database } from "../base/database.ts"
import { AlreadyExists, NotFound } from "../base/errors.ts"
import { NamedRows } from "../base/named-rows.ts"
import { checkRowVersion } from "../base/row-version.ts"
import type { Events, NewEvent } from "../event/event.ts"
import type { Pid, StartTime } from "../sys/process/process.ts"
import type { Sandbox, SandboxId, SandboxOptions } from "./sandbox.ts"

/** Of the JSON in `options` and `state`. */
const SANDBOX_VERSION = 1

export interface SandboxState {
  /** `starting` and `removing`: something was begun, and is finished or taken back by who finds it. */
  status: "starting" | "ready" | "stopped" | "removing"
  /** Of the boot that the namespaces belong to. */
  bootId: string
  /** The first process of its pid namespace. */
  pausePid?: Pid
  pauseStartTime?: StartTime
  endpoints: Sandbox["endpoints"]
  startedAt?: number
  /** Of its cgroup, when it has one. */
  cgroupPath?: string
}

export interface SandboxRecord {
  id: SandboxId
  name: string
  createdAt: number
  options: SandboxOptions
  state: SandboxState
}

interface Row {
  id: string
  name: string
  created_at: number
  version: number
  options: string
  state: string
}

/** The rows of sandboxes. Each change tells its event. */
export class SandboxRecords {
  readonly #db: Database
  readonly #rows: NamedRows<Row>
  readonly #events: Pick<Events, "append">

  constructor(db: Database, events: Pick<Events, "append">) {
    this.#db = db
    this.#rows = new NamedRows(db, "sandboxes", "sandbox")
    this.#events = events
  }

  /** Newest first. */
  list(): SandboxRecord[] {
    return this.#rows.newestFirst().map(fromRow)
  }

  byId(id: string): SandboxRecord | undefined {
    const row = this.#rows.byId(id)
    return row && fromRow(row)
  }

  /** By id, name, or a prefix of an id. Throws NotFound; InvalidArgument when a prefix fits several. */
  get(nameOrId: string): SandboxRecord {
    const row = this.#rows.find(nameOrId)
    if (!row) throw new NotFound(`no such sandbox: "${nameOrId}"`)
    return fromRow(row)
  }

  /** The sandboxes that are on a network when they are ready. */
  usersOfNetwork({ id, name }: { id: string; name: string }): { id: string; name: string }[] {
    return this.list().filter(({ options }) =>
      options.networks.some(({ network }) => network === name || network === id),
    )
  }

  /** Throws AlreadyExists. */
  insert({ id, name, createdAt, options, state }: SandboxRecord): void {
    this.#db.transaction(() => {
      if (this.#rows.holderOf(name) !== undefined)
        throw new AlreadyExists(`the sandbox name "${name}" is already in use`, { field: "name" })
      const values = [id, name, createdAt, SANDBOX_VERSION, JSON.stringify(options), JSON.stringify(state)]
      this.#db.run(
        "INSERT INTO sandboxes (id, name, created_at, version, options, state) VALUES (?, ?, ?, ?, ?, ?)",
        ...values,
      )
      this.#events.append(sandboxEvent({ id, name, options }, "create"))
    })
  }

  save({ id, name, options, state }: SandboxRecord, action?: string): void {
    this.#db.transaction(() => {
      const changed = this.#db.run("UPDATE sandboxes SET state = ? WHERE id = ?", JSON.stringify(state), id)
      if (changed > 0 && action !== undefined) this.#events.append(sandboxEvent({ id, name, options }, action))
    })
  }

  delete(record: SandboxRecord): void {
    this.#db.transaction(() => {
      const deleted = this.#db.run("DELETE FROM sandboxes WHERE id = ?", record.id)
      if (deleted > 0) this.#events.append(sandboxEvent(record, "destroy"))
    })
  }
}

function sandboxEvent({ id, name, options }: Pick<SandboxRecord, "id" | "name" | "options">, action: string): NewEvent {
  return { type: "sandbox", action, actor: { id, attributes: { name, ...options.labels } } }
}

function fromRow(row: Row): SandboxRecord {
  checkRowVersion(row, SANDBOX_VERSION, `sandbox "${row.name}"`)
  return {
    id: row.id as SandboxId,
    name: row.name,
    createdAt: row.created_at,
    options: JSON.parse(row.options) as SandboxOptions,
    state: JSON.parse(row.state) as SandboxState,
  }
}
