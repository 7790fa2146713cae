import type { Database } from "./database.ts"
import { InvalidArgument } from "./errors.ts"
import { generateName } from "./random-name.ts"

const ID_PREFIX = /^[0-9a-f]{1,64}$/
/** What people see of an id. */
const SHORT_ID_DIGITS = 12
const SHOWN_MATCHES = 5
const MAX_NAME_ATTEMPTS = 20

/** What such a table has at least; `id` is of 64 hex digits, `name` unique. */
export interface NamedRow {
  id: string
  name: string
  created_at: number
}

/**
 * Finds the rows of a table whose objects have an id, a name and a time. Reads only: what else the rows hold, and every change of
 * them, is for the domain whose table it is.
 */
export class NamedRows<Row extends NamedRow> {
  readonly #db: Database
  readonly #table: string
  readonly #noun: string

  /** `noun`: what a row stands for, in messages. */
  constructor(db: Database, table: string, noun: string) {
    this.#db = db
    this.#table = table
    this.#noun = noun
  }

  newestFirst(): Row[] {
    return this.#db.all<Row>(`SELECT * FROM ${this.#table} ORDER BY created_at DESC, rowid DESC`)
  }

  byId(id: string): Row | undefined {
    return this.#db.get<Row>(`SELECT * FROM ${this.#table} WHERE id = ?`, id)
  }

  byName(name: string): Row | undefined {
    return this.#db.get<Row>(`SELECT * FROM ${this.#table} WHERE name = ?`, name)
  }

  /** By id, name, or a prefix of an id, in this order, as docker. Throws InvalidArgument when a prefix fits several. */
  find(nameOrId: string): Row | undefined {
    const table = this.#table
    const exact = this.#db.get<Row>(`SELECT * FROM ${table} WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC`, nameOrId)
    if (exact || !ID_PREFIX.test(nameOrId)) return exact
    const matches = this.#db.all<Row>(
      `SELECT * FROM ${table} WHERE id >= ? AND id < ? LIMIT ${SHOWN_MATCHES}`,
      nameOrId,
      `${nameOrId}g`,
    )
    if (matches.length > 1)
      throw new InvalidArgument(`${this.#noun} id prefix "${nameOrId}" is ambiguous`, {
        hint: `it matches ${matches.map(({ id }) => id.slice(0, SHORT_ID_DIGITS)).join(", ")}: give more digits`,
      })
    return matches[0]
  }

  /** The id of the row that has the name. */
  holderOf(name: string): string | undefined {
    return this.#db.get<{ id: string }>(`SELECT id FROM ${this.#table} WHERE name = ?`, name)?.id
  }

  /** One that nobody chose and no row has: call it in the transaction that inserts. */
  freeName(): string {
    for (let attempt = 0; ; attempt++) {
      const name = generateName(attempt)
      if (attempt === MAX_NAME_ATTEMPTS || this.holderOf(name) === undefined) return name
    }
  }
}
