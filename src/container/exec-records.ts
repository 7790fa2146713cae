import { NotFound } from "../base/errors.ts"
import type { Database } from "../base/database.ts"
import { checkRowVersion } from "../base/row-version.ts"
import { shortId } from "../base/short-id.ts"
import type { Events, NewEvent } from "../event/event.ts"
import type { Pid, StartTime } from "../sys/process/process.ts"
import type { ContainerId, ExecId, ResolvedExecRequest } from "./container.ts"

/** Of the JSON in `request` and `state`. */
const EXEC_VERSION = 1
/** Health checks run every few seconds for months. */
const KEPT_ENDED = 100

/** Changes with the program's life. */
export interface ExecState {
  status: "created" | "running" | "exited"
  /** Of the boot that the run state belongs to. */
  bootId?: string
  pid?: Pid
  /** Undefined when it had ended by the time its pid was known. */
  pidStartTime?: StartTime
  exitCode?: number
}

/** What is written down of one more program: one row. */
export interface ExecRecord {
  id: ExecId
  containerId: ContainerId
  createdAt: number
  request: ResolvedExecRequest
  state: ExecState
}

interface Row {
  id: string
  container_id: string
  created_at: number
  version: number
  request: string
  state: string
}

/** The rows of execs. They go with their container's. */
export class ExecRecords {
  readonly #db: Database
  readonly #events: Pick<Events, "append">

  constructor(db: Database, events: Pick<Events, "append">) {
    this.#db = db
    this.#events = events
  }

  insert({ id, containerId, createdAt, request, state }: ExecRecord, ...events: NewEvent[]): void {
    this.#db.transaction(() => {
      this.#db.run(
        "INSERT INTO execs (id, container_id, created_at, is_running, version, request, state) VALUES (?, ?, ?, ?, ?, ?, ?)",
        id,
        containerId,
        createdAt,
        state.status === "running" ? 1 : 0,
        EXEC_VERSION,
        JSON.stringify(request),
        JSON.stringify(state),
      )
      for (const event of events) this.#events.append(event)
    })
  }

  /** From `created` to running. False when somebody else started it first, or it is gone. */
  markStarted(id: ExecId, state: ExecState, event: NewEvent): boolean {
    return this.#change(id, "created", state, event)
  }

  /** For one that was marked as started. */
  setPid(id: ExecId, state: ExecState): void {
    this.#change(id, "running", state)
  }

  /** The end is written down, and told, once, whoever comes first. */
  markEnded(record: ExecRecord, state: ExecState, event: NewEvent): boolean {
    return this.#db.transaction(() => {
      if (!this.#change(record.id, "running", state, event)) return false
      this.#db.run(
        `DELETE FROM execs WHERE container_id = ?1 AND is_running = 0 AND json_extract(state, '$.status') = 'exited'
           AND rowid <= (SELECT rowid FROM execs WHERE container_id = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ${KEPT_ENDED})`,
        record.containerId,
      )
      return true
    })
  }

  get(id: string): ExecRecord {
    const row = this.#db.get<Row>("SELECT * FROM execs WHERE id = ?", id)
    if (!row) throw new NotFound(`no such exec instance: "${id}"`)
    return fromRow(row)
  }

  find(id: string): ExecRecord | undefined {
    const row = this.#db.get<Row>("SELECT * FROM execs WHERE id = ?", id)
    return row && fromRow(row)
  }

  /** Oldest first. */
  list(containerId: string): ExecRecord[] {
    return this.#db.all<Row>("SELECT * FROM execs WHERE container_id = ? ORDER BY rowid", containerId).map(fromRow)
  }

  /** Those written down as running: of one container, or all. */
  running(containerId?: string): ExecRecord[] {
    return this.#db
      .all<Row>(
        "SELECT * FROM execs WHERE is_running = 1 AND container_id = coalesce(?, container_id)",
        containerId ?? null,
      )
      .map(fromRow)
  }

  #change(id: ExecId, from: ExecState["status"], state: ExecState, event?: NewEvent): boolean {
    return this.#db.transaction(() => {
      const changed = this.#db.run(
        "UPDATE execs SET state = ?, is_running = ? WHERE id = ? AND json_extract(state, '$.status') = ?",
        JSON.stringify(state),
        state.status === "running" ? 1 : 0,
        id,
        from,
      )
      if (changed > 0 && event !== undefined) this.#events.append(event)
      return changed > 0
    })
  }
}

function fromRow(row: Row): ExecRecord {
  checkRowVersion(row, EXEC_VERSION, `exec instance ${shortId(row.id)}`)
  return {
    id: row.id as ExecId,
    containerId: row.container_id as ContainerId,
    createdAt: row.created_at,
    request: JSON.parse(row.request) as ResolvedExecRequest,
    state: JSON.parse(row.state) as ExecState,
  }
}
