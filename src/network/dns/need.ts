import type { Database } from "../../base/database.ts"
import { bootId } from "../../sys/process/process.ts"
import type { Network } from "../network.ts"
import { haveNames, parseRules } from "../egress/rules.ts"
import { hasResolver } from "./has-resolver.ts"

/** Whether anybody is on a network whose names are answered. On a host without such networks it costs 10 µs. */
export function needsResolver(db: Database): boolean {
  const rows = db.all<Pick<Network, "name" | "driver"> & { options: string }>(
    `SELECT name, driver, options FROM networks WHERE name <> 'bridge'
      AND id IN (SELECT network_id FROM network_endpoints WHERE boot_id = ?)`,
    bootId(),
  )
  const named = rows.some(({ options, ...row }) =>
    hasResolver({ ...row, options: JSON.parse(options) as Network["options"] }),
  )
  return named || hasAskers(db)
}

/** Whether anybody may send to names alone, on the default network too. */
function hasAskers(db: Database): boolean {
  const rows = db.all<{ rules: string }>(
    "SELECT rules FROM network_egress JOIN network_endpoints USING (container_id, network_id) WHERE boot_id = ?",
    bootId(),
  )
  return rows.some(({ rules }) => haveNames(parseRules(rules)))
}
