/** How rows of containers that an earlier skiff wrote become rows of today's. */
import type { Database } from "../base/database.ts"

/** Of the JSON in `spec` and `state`; each row says its own. */
export const RECORD_VERSION = 2

interface StoredRow {
  id: string
  spec: string
  state: string
}

/** Old documents have no types any more: what is read of them is looked at. */
interface Document {
  spec: { options?: { network?: { kind?: string; name?: string }; address?: string; macAddress?: string } }
  state: Record<string, unknown> & { endpoint?: Record<string, unknown> }
}

/** Adds the version to each row, and brings rows of version 1 to 2: `endpoint` becomes the first of `attachments`. */
export function addAttachments(db: Database): void {
  db.exec("ALTER TABLE containers ADD COLUMN version INTEGER NOT NULL DEFAULT 2")
  for (const { id, ...row } of db.all<StoredRow>("SELECT id, spec, state FROM containers")) {
    const { spec, state } = { spec: JSON.parse(row.spec), state: JSON.parse(row.state) } as Document
    db.run("UPDATE containers SET state = ? WHERE id = ?", JSON.stringify(withAttachments(spec, state)), id)
  }
}

function withAttachments({ options = {} }: Document["spec"], { endpoint, ...state }: Document["state"]): object {
  const { network, address, macAddress } = options
  if (network?.kind !== "bridge") return { ...state, attachments: [] }
  // only the name was written down
  const joined = endpoint && { ...endpoint, networkId: endpoint.network }
  return { ...state, attachments: [{ network: network.name, address, macAddress, endpoint: joined }] }
}
