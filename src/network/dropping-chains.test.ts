import { expect, test } from "bun:test"
import { chainsOf } from "./dropping-chains.ts"

const chain = (table: string, name: string, hook?: string, policy = "accept") => ({
  chain: { family: "inet", table, name, ...(hook === undefined ? {} : { hook, policy }) },
})
const rule = (table: string, name: string, ...expr: object[]) => ({
  rule: { family: "inet", table, chain: name, expr },
})

test("chains that drop are named: by policy, by a rule, by a chain that they lead to; ours and other hooks are not", () => {
  const nftables = [
    chain("ufw", "forward", "forward", "drop"),
    chain("own", "forward", "forward", "drop"),
    chain("a", "shut", "forward"),
    rule("a", "shut", { match: {} }, { drop: null }),
    chain("b", "leads", "forward"),
    chain("b", "end"),
    rule("b", "leads", { jump: { target: "end" } }),
    rule("b", "end", { jump: { target: "end" } }),
    rule("b", "end", { reject: {} }),
    chain("c", "open", "forward"),
    rule("c", "open", { accept: null }),
    chain("d", "in", "input", "drop"),
  ]
  expect(chainsOf({ nftables }, "forward", "own")).toEqual([
    "inet ufw forward (policy drop)",
    "inet a shut",
    "inet b leads",
  ])
})
