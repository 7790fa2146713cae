import type { Database } from "../base/database.ts"

/** What the domain is handed. */
export interface MeterDeps {
  db: Database
  /** The name of an account; undefined for one that is gone. */
  accountName(uid: number): string | undefined
}
