import type { Database } from "../../base/database.ts"
import { bootId } from "../../sys/process/process.ts"
import type { Network } from "../network.ts"
import { hasResolver } from "./has-resolver.ts"

/** Whether anybody is on a network whose names are answered. On a host without such networks it costs 10 µs. */
export function needsResolver(db: Database): boolean {
  const rows = db.all<Pick<Network, "name" | "driver"> & { options: string }>(
    `SELECT name, driver, options FROM networks WHERE name <> 'bridge'
      AND id IN (SELECT network_id FROM network_endpoints WHERE boot_id = ?)`,
    bootId(),
  )
  return rows.some(({ options, ...row }) => hasResolver({ ...row, options: JSON.parse(options) as Network["options"] }))
}
