/**
 * Has somebody join and leave a network, on record alone: a thousand containers a second. Run as a program, by the user of the store:
 *
 *   change-names.ts DATABASE NETWORK COUNT MILLISECONDS
 */
import { setTimeout as sleep } from "node:timers/promises"
import { Database } from "../../src/base/database.ts"
import { findNetwork } from "../../src/network/network-records.ts"
import { EndpointRecords } from "../../src/network/records.ts"

const [path = "", name = "", count = "0", milliseconds = "0"] = process.argv.slice(2)
const db = new Database(path)
const network = findNetwork(db, name)
if (network === undefined) throw new Error(`no network ${name}`)
const records = new EndpointRecords(db)
for (let number = 0; number < Number(count); number += 2) {
  const containerId = `guest${number}`
  const guest = { containerId, hostInterface: `vguest${number}`, names: [`guest${number}`, "guest"] }
  db.transaction(() => records.add(network, guest))
  await sleep(Number(milliseconds) / Number(count))
  db.transaction(() => records.remove(containerId, network.id))
  await sleep(Number(milliseconds) / Number(count))
}
