import type { NewEvent } from "./event.ts"
import type { Database } from "../base/database.ts"

/** What the domain is handed. */
export interface EventsDeps {
  db: Database
  /** Called in the transaction of each event. */
  onAppend?(event: NewEvent): void
}
