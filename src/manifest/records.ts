import type { Database } from "../base/database.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import type { ManifestEntry, ManifestList } from "./manifest.ts"

interface Row {
  name: string
  document: string
  created_at: number
}

/** The JSON of a row. */
interface StoredList {
  entries: ManifestEntry[]
  annotations: Record<string, string>
  subject?: Descriptor
}

/** The rows. Each call is one statement. */
export class ManifestRecords {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  list(): ManifestList[] {
    return this.#db.all<Row>("SELECT * FROM manifest_lists ORDER BY name").map(toList)
  }

  find(name: string): ManifestList | undefined {
    const row = this.#db.get<Row>("SELECT * FROM manifest_lists WHERE name = ?", name)
    return row && toList(row)
  }

  put({ name, createdAt, ...document }: ManifestList): void {
    const sql = "INSERT OR REPLACE INTO manifest_lists VALUES (?, ?, ?)"
    this.#db.run(sql, name, JSON.stringify(document), createdAt.getTime())
  }

  /** False when there was none. */
  delete(name: string): boolean {
    return this.#db.run("DELETE FROM manifest_lists WHERE name = ?", name) > 0
  }

  transaction<T>(body: () => T): T {
    return this.#db.transaction(body)
  }
}

function toList({ name, document, created_at: createdAt }: Row): ManifestList {
  return { name, createdAt: new Date(createdAt), ...(JSON.parse(document) as StoredList) }
}
