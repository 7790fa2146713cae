import { closeSync, constants, fdatasyncSync, openSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import { throwIfAborted } from "./cancel.ts"
import { DataLoss, isSkiffError, Unavailable } from "./errors.ts"
import { SpaceReserve } from "./space-reserve.ts"

/** The tables of one domain. `steps` only grows: step n brings version n to n + 1, by SQL or, for what is in JSON, by code. */
export interface Schema {
  domain: string
  steps: readonly (string | ((db: Database) => void))[]
}

type Row = Record<string, unknown>

/** The log is brought into the database when it has this many pages: who opens it as the only one reads all of it first. */
const LOG_PAGES = 100

/** How long a call waits for another process's transaction. */
const BUSY_LIMIT_MS = 30_000
const SHORTEST_WAIT_MS = 0.1
const LONGEST_WAIT_MS = 2
const FREE_POLL_MS = 1
const SQLITE_BUSY = 5

/**
 * The records: SQLite in WAL mode, shared by every skiff process of one store.
 *
 * All calls are synchronous and short; before one that writes, what may be long-lived waits by `whenFree`. A writer takes the lock at the start of its transaction (`BEGIN IMMEDIATE`), so
 * two processes never both read, then both write; others wait up to 30 s. A process killed inside leaves nothing.
 */
export class Database implements Disposable {
  readonly path: string
  readonly #reserve: SpaceReserve
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #depth = 0
  #isWritten = false

  constructor(path: string) {
    this.path = path
    this.#reserve = new SpaceReserve(`${path}.reserve`)
    this.#db = new DatabaseSync(path)
    try {
      this.#configure()
    } catch (error) {
      // the shared index of the log needs a little space, even to read: it is there now
      if (!isSkiffError(error, "Unavailable")) throw error
      this.#configureOrClose()
    }
    this.#reserve.keep()
  }

  /** Brings the tables up to date; costs one read when they are. Throws DataLoss when a newer skiff wrote them. */
  migrate(schemas: readonly Schema[]): void {
    const wanted = schemas.reduce((sum, schema) => sum + schema.steps.length, 0)
    const [{ user_version: version } = { user_version: 0 }] = this.all<{ user_version: number }>("PRAGMA user_version")
    if (version === wanted) return
    if (version > wanted)
      throw new DataLoss(`the records are of version ${version}, this skiff supports up to ${wanted}`, {
        hint: "a newer skiff wrote them: use that version",
      })
    this.transaction(() => {
      this.exec("CREATE TABLE IF NOT EXISTS schema_steps (domain TEXT PRIMARY KEY, done INTEGER NOT NULL) STRICT")
      for (const { domain, steps } of schemas) {
        const done = this.get<{ done: number }>("SELECT done FROM schema_steps WHERE domain = ?", domain)?.done ?? 0
        for (const step of steps.slice(done)) {
          if (typeof step === "string") this.exec(step)
          else step(this)
        }
        this.run("INSERT OR REPLACE INTO schema_steps VALUES (?, ?)", domain, steps.length)
      }
      this.exec(`PRAGMA user_version = ${wanted}`)
    })
  }

  /**
   * Whether another connection is in a transaction that writes. When it is not, everything that was written to the log
   * before this call can be read after it.
   */
  hasWriter(): boolean {
    if (this.#depth > 0) return false
    try {
      this.#db.exec("BEGIN IMMEDIATE")
      this.#db.exec("ROLLBACK")
      return false
    } catch (error) {
      if (isBusy(error)) return true
      throw error
    }
  }

  /**
   * Waits until nobody else is in a transaction that writes, while other events have their turn. What writes synchronously next
   * seldom has to wait, and never long, though the other process may be one that a busy machine, a debugger or a slow disk holds up.
   * After the longest wait of all, or when `signal` is aborted (Cancelled), it is over in any case.
   */
  async whenFree(signal?: AbortSignal): Promise<void> {
    for (const deadline = Date.now() + BUSY_LIMIT_MS; this.#seemsTaken() && Date.now() < deadline;) {
      throwIfAborted(signal, "waiting for another process's transaction")
      await sleep(FREE_POLL_MS)
    }
  }

  /** Runs `body` under the write lock: all of it is kept, or, if it throws, nothing. May be nested. */
  transaction<T>(body: () => T): T {
    if (this.#depth > 0) return body()
    this.exec("BEGIN IMMEDIATE")
    this.#depth++
    try {
      const result = body()
      this.exec("COMMIT")
      return result
    } catch (error) {
      this.#rollBack()
      throw error
    } finally {
      this.#depth--
    }
  }

  /** Runs `body`, which only reads, on one moment of the records: what others commit meanwhile it does not see. */
  snapshot<T>(body: () => T): T {
    if (this.#depth > 0) return body()
    this.exec("BEGIN")
    try {
      return body()
    } finally {
      this.exec("ROLLBACK")
    }
  }

  /** Brings what is in the log into the database, as far as nobody reads it: waits for no one. */
  checkpoint(): void {
    this.exec("PRAGMA wal_checkpoint(PASSIVE)")
  }

  all<T = Row>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#explained(() => this.#prepare(sql).all(...values) as T[])
  }

  get<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#explained(() => (this.#prepare(sql).get(...values) ?? undefined) as T | undefined)
  }

  /** Runs one statement; gives the number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    this.#isWritten = true
    return this.#explained(() => Number(this.#prepare(sql).run(...values).changes))
  }

  exec(sql: string): void {
    this.#explained(() => this.#db.exec(sql))
  }

  /**
   * Has what was written survive a failure of the power. That is less than `dispose` does: the log stays, and whoever opens the
   * database next goes on with it.
   */
  flush(): void {
    if (!this.#isWritten) return
    this.#isWritten = false
    const fd = openSync(`${this.path}-wal`, constants.O_RDONLY)
    try {
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }

  [Symbol.dispose](): void {
    this.#statements.clear()
    this.#db.close()
  }

  /** Whatever else is wrong, the write itself will say. */
  #seemsTaken(): boolean {
    try {
      return this.hasWriter()
    } catch {
      return false
    }
  }

  #configure(): void {
    this.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; " +
        `PRAGMA wal_autocheckpoint=${LOG_PAGES}`,
    )
  }

  #configureOrClose(): void {
    try {
      this.#configure()
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  /** SQLite may have rolled back by itself (disk full); the first error is the one to tell. */
  #rollBack(): void {
    try {
      this.#db.exec("ROLLBACK")
    } catch {
      // nothing is open any more
    }
  }

  /** SQLite calls a full disk an I/O error. */
  #explained<T>(work: () => T): T {
    try {
      return this.#whileBusy(work)
    } catch (cause) {
      if (isDamaged(cause))
        throw new DataLoss(`the records in "${this.path}" are damaged`, { hint: { do: "resetStore" }, cause })
      if (!/disk I\/O error|disk is full/.test(String(cause)) || !this.#reserve.isDiskFull) throw cause
      this.#reserve.release()
      throw new Unavailable(`no space left on the disk of "${this.path}"`, {
        hint: ["remove a container or an image: a little was kept free for that", { do: "freeSpace" }],
        cause,
      })
    }
  }

  /**
   * Waits for the lock in short steps: others hold it for well under a millisecond, and SQLite's own steps grow to 100 ms,
   * in which nothing else of a long-lived process would run.
   */
  #whileBusy<T>(work: () => T): T {
    for (let waitMs = SHORTEST_WAIT_MS, waitedMs = 0; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error) || waitedMs > BUSY_LIMIT_MS) throw error
      }
      Atomics.wait(NEVER_WOKEN, 0, 0, waitMs)
      waitedMs += waitMs
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)))
    return statement
  }
}

const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4))

/** https://sqlite.org/rescode.html: SQLITE_CORRUPT and SQLITE_NOTADB. */
function isDamaged(error: unknown): boolean {
  return [11, 26].includes(((error as { errcode?: number }).errcode ?? 0) % 256)
}

function isBusy(error: unknown): boolean {
  // the low byte is the kind, the rest a detail (sqlite.org/rescode.html)
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY
}
