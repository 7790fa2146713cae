import type { Database } from "../base/database.ts"

/** What the domain is handed. */
export interface EventsDeps {
  db: Database
}
