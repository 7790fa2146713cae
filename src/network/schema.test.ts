import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "../base/database.ts"
import { listNetworks } from "./network-records.ts"
import { formatIpv6Range, parseIpv6, parseIpv6Range } from "./ipv6.ts"
import { networkSchema } from "./schema.ts"

test("networks of an earlier version get a range of IPv6 each, in the form of one that is made today", () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-schema-"))
  try {
    const path = join(directory, "skiff.db")
    const before = networkSchema.steps.findIndex((step) => typeof step === "string" && step.includes("SET subnet6"))
    {
      using old = new Database(path)
      old.migrate([{ ...networkSchema, steps: networkSchema.steps.slice(0, before) }])
      const row =
        "INSERT INTO networks (id, name, driver, bridge, subnet, gateway, last_address) VALUES (?, ?, ?, ?, ?, ?, 0)"
      old.run(row, "a", "bridge", "bridge", "skiff0", "172.17.0.0/16", "172.17.0.1")
      old.run(row, "b", "other", "bridge", "skiff1", "172.18.0.0/16", "172.18.0.1")
      old.run(row, "c", "lan", "macvlan", "eth0", "10.0.0.0/24", "10.0.0.1")
    }
    using db = new Database(path)
    db.migrate([networkSchema])
    const [first, lan, other] = listNetworks(db)
    for (const { subnet6 = "", gateway6 = "" } of [first, other].flatMap((one) => one ?? [])) {
      const range = parseIpv6Range(subnet6)
      expect(subnet6).toMatch(/^fd[0-9a-f]{2}:.*::\/64$/)
      expect(formatIpv6Range(range)).toBe(subnet6)
      expect(parseIpv6(gateway6)).toBe(range.address + 1n)
    }
    expect(first?.subnet6).not.toBe(other?.subnet6)
    expect(lan?.subnet6).toBeUndefined()
  } finally {
    rmSync(directory, { recursive: true })
  }
})
