import type { Database } from "../base/database.ts"
import { AlreadyExists, InvalidArgument, NotFound } from "../base/errors.ts"
import { NamedRows } from "../base/named-rows.ts"
import { checkRowVersion } from "../base/row-version.ts"
import { shortId } from "../base/short-id.ts"
import type { Events, NewEvent } from "../event/event.ts"
import type { Digest } from "../spec/digest.ts"
import type { ContainerId } from "./container.ts"
import { RECORD_VERSION } from "./migrations.ts"
import { freeRange, type IdRange } from "./userns/id-maps.ts"
import type { ContainerRecord, ContainerSpec, HealthMark, RecordState, RecordStatus } from "./record.ts"

interface Row {
  id: string
  name: string
  image_id: string
  status: string
  live: number
  created_at: number
  spec: string
  state: string
  health: string | null
  version: number
}

/**
 * The rows of containers. Every call is one short, synchronous transaction, and the events that it is handed are part of it:
 * they tell what the change means.
 */
export class ContainerRecords {
  readonly #db: Database
  readonly #rows: NamedRows<Row>
  readonly #events: Pick<Events, "append">

  constructor(db: Database, events: Pick<Events, "append">) {
    this.#db = db
    this.#rows = new NamedRows(db, "containers", "container")
    this.#events = events
  }

  /** Before a change, where time does not matter more: see `Database.whenFree`. */
  whenFree(signal?: AbortSignal): Promise<void> {
    return this.#db.whenFree(signal)
  }

  /** Newest first. */
  list(): ContainerRecord[] {
    return this.#rows.newestFirst().map(fromRow)
  }

  /** Those of which the kernel may hold something, or which wait for their restart or the end of their removal. */
  listUnreconciled(): ContainerRecord[] {
    return this.#db
      .all<Row>("SELECT * FROM containers WHERE live = 1 OR status IN ('restarting', 'removing')")
      .map(fromRow)
  }

  /** The same without what they were made with: for a look at each by a command that is about another one. */
  listUnreconciledStates(): ContainerPulse[] {
    const sql =
      "SELECT id, status, live, version, name, state FROM containers WHERE live = 1 OR status IN ('restarting', 'removing')"
    return this.#db.all<Row>(sql).map((row) => {
      checkRowVersion(row, RECORD_VERSION, `container "${row.name}"`)
      return {
        id: row.id as ContainerId,
        status: row.status as RecordStatus,
        live: row.live === 1,
        state: JSON.parse(row.state) as RecordState,
      }
    })
  }

  byId(id: string): ContainerRecord | undefined {
    const row = this.#rows.byId(id)
    return row && fromRow(row)
  }

  /** As `find`. Throws NotFound, too. */
  get(nameOrId: string): ContainerRecord {
    const record = this.find(nameOrId)
    if (!record) throw noSuchContainer(nameOrId)
    return record
  }

  /** By id, name (`/name`, too), or a prefix of an id, in this order, as docker. Throws InvalidArgument when a prefix fits several. */
  find(nameOrId: string): ContainerRecord | undefined {
    const row = nameOrId.startsWith("/") ? this.#rows.byName(nameOrId.slice(1)) : this.#rows.find(nameOrId)
    return row && fromRow(row)
  }

  /** Writes a new row. A missing name is generated. `check` runs inside the transaction. Throws AlreadyExists. */
  insert(
    record: Omit<ContainerRecord, "name"> & { name?: string },
    check: () => void,
    event: (record: ContainerRecord) => NewEvent,
  ): ContainerRecord {
    return this.#db.transaction(() => {
      check()
      const name = record.name ?? this.#rows.freeName()
      const holder = this.#rows.holderOf(name)
      if (holder !== undefined) throw nameInUse(name, holder)
      this.#db.run(
        `INSERT INTO containers (id, name, image_id, status, live, created_at, spec, state, version)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        record.id,
        name,
        record.imageId,
        record.status,
        record.live ? 1 : 0,
        record.createdAt,
        JSON.stringify(record.spec),
        JSON.stringify(record.state),
        RECORD_VERSION,
      )
      const named = { ...record, name }
      this.#events.append(event(named))
      return named
    })
  }

  /** Writes status, liveness and state back. The caller holds the container's lock. False when the row is gone. */
  save(record: ContainerRecord, events: readonly NewEvent[] = []): boolean {
    const write = (): boolean =>
      this.#db.run(
        "UPDATE containers SET status = ?, live = ?, state = ? WHERE id = ?",
        record.status,
        record.live ? 1 : 0,
        JSON.stringify(record.state),
        record.id,
      ) > 0
    return events.length === 0 ? write() : this.#telling(events, write)
  }

  /** Together with what another domain writes down for it: `also` throws, and neither is. */
  saveWith(record: ContainerRecord, also: () => void): void {
    this.#telling([], () => {
      also()
      this.save(record)
    })
  }

  /** The same with the spec, which only an update changes. */
  saveSpec(record: ContainerRecord, events: readonly NewEvent[] = []): void {
    this.#telling(events, () => {
      this.#db.run("UPDATE containers SET spec = ? WHERE id = ?", JSON.stringify(record.spec), record.id)
      this.save(record)
    })
  }

  /** The events are told by whoever finds the row: it may be gone by then. */
  saveHealth(id: string, health: HealthMark, events: readonly NewEvent[]): void {
    this.#db.transaction(() => {
      if (this.#db.run("UPDATE containers SET health = ? WHERE id = ?", JSON.stringify(health), id) > 0)
        for (const event of events) this.#events.append(event)
    })
  }

  /** What happened to a container and changed nothing of its row. */
  tell(...events: NewEvent[]): void {
    this.#telling(events, () => {})
  }

  /** Throws AlreadyExists. */
  rename(id: string, name: string, event: NewEvent): void {
    this.#db.transaction(() => {
      const holder = this.#rows.holderOf(name)
      if (holder === id)
        throw new InvalidArgument(`container "${name}" has that name already`, { hint: "choose another name" })
      if (holder !== undefined) throw nameInUse(name, holder)
      this.#db.run("UPDATE containers SET name = ? WHERE id = ?", name, id)
      this.#events.append(event)
    })
  }

  /** The events are told by whoever really deletes the row: a removal may be repeated. */
  delete(id: string, events: readonly NewEvent[]): void {
    this.#db.transaction(() => {
      if (this.#db.run("DELETE FROM containers WHERE id = ?", id) > 0)
        for (const event of events) this.#events.append(event)
    })
  }

  ids(): Set<string> {
    return new Set(this.#db.all<{ id: string }>("SELECT id FROM containers").map((row) => row.id))
  }

  /** The containers made from an image. */
  usersOfImage(imageId: string): { name: string; kind: "running container" | "stopped container" }[] {
    return this.#db
      .all<{ name: string; live: number }>(
        `SELECT name, live FROM containers WHERE image_id = ?1 OR EXISTS
           (SELECT 1 FROM json_each(spec, '$.mounts') AS mount WHERE json_extract(mount.value, '$.image.id') = ?1)`,
        imageId,
      )
      .map(({ name, live }) => ({ name, kind: live === 1 ? "running container" : "stopped container" }))
  }

  /** The containers in a sandbox, by name. */
  usersOfSandbox(sandbox: string): string[] {
    return this.#db
      .all<{ name: string }>("SELECT name FROM containers WHERE json_extract(spec, '$.options.sandbox') = ?", sandbox)
      .map(({ name }) => name)
  }

  /** Gives container `id` ids of its own for as long as its row exists. Throws FailedPrecondition when none are left. */
  claimIds(id: string, count: number, available: readonly IdRange[]): IdRange {
    return this.#db.transaction(() => {
      const taken = this.#db.all<IdRange>(
        `SELECT json_extract(state, '$.idRange.first') AS first, json_extract(state, '$.idRange.count') AS count
           FROM containers WHERE json_extract(state, '$.idRange') IS NOT NULL`,
      )
      const range = freeRange(available, taken, count)
      this.#db.run(
        "UPDATE containers SET state = json_set(state, '$.idRange', json(?)) WHERE id = ?",
        JSON.stringify(range),
        id,
      )
      return range
    })
  }

  /** Whether a container in a sandbox, other than `except`, runs, starts or is about to restart. */
  isSandboxInUse(sandbox: string, except: string): boolean {
    const user = this.#db.get(
      `SELECT 1 FROM containers WHERE (live = 1 OR status = 'restarting') AND status != 'removing' AND id != ?
         AND json_extract(spec, '$.options.sandbox') = ?`,
      except,
      sandbox,
    )
    return user !== undefined
  }

  /** The containers that mount a volume. */
  usersOfVolume(volume: string): { id: string; name: string }[] {
    return this.#db.all(
      `SELECT DISTINCT containers.id, containers.name FROM containers, json_each(spec, '$.mounts') AS mount
         WHERE json_extract(mount.value, '$.type') = 'volume' AND json_extract(mount.value, '$.name') = ?`,
      volume,
    )
  }

  /** The containers that are on a network when they run, by themselves and not by a sandbox. */
  usersOfNetwork({ id, name }: { id: string; name: string }): { id: string; name: string }[] {
    return this.#db.all(
      `SELECT DISTINCT containers.id, containers.name FROM containers, json_each(state, '$.attachments') AS attachment
         WHERE json_extract(attachment.value, '$.network') IN (?, ?)`,
      name,
      id,
    )
  }

  #telling<T>(events: readonly NewEvent[], change: () => T): T {
    return this.#db.transaction(() => {
      const result = change()
      for (const event of events) this.#events.append(event)
      return result
    })
  }
}

/** Rows of other versions were brought to this one as the store was opened; what is no row of ours is not guessed at. */
/** What tells whether a container is as its record says. */
export type ContainerPulse = Pick<ContainerRecord, "id" | "status" | "live" | "state">

function fromRow(row: Row): ContainerRecord {
  checkRowVersion(row, RECORD_VERSION, `container "${row.name}"`)
  return {
    id: row.id as ContainerId,
    name: row.name,
    imageId: row.image_id as Digest,
    status: row.status as RecordStatus,
    live: row.live === 1,
    createdAt: row.created_at,
    spec: JSON.parse(row.spec) as ContainerSpec,
    state: JSON.parse(row.state) as RecordState,
    ...(row.health === null ? {} : { health: JSON.parse(row.health) as HealthMark }),
  }
}

function noSuchContainer(name: string): NotFound {
  return new NotFound(`no such container: "${name}"`, {
    hint: { do: "listContainers" },
    data: { object: "container", name },
  })
}

function nameInUse(name: string, holder: string): AlreadyExists {
  return new AlreadyExists(`the container name "${name}" is already in use by container ${shortId(holder)}`, {
    hint: [
      { do: "removeForced", container: name },
      { do: "rename", container: name },
    ],
    data: { object: "container", name, holder },
  })
}
