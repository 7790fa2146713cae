import { expect, test } from "bun:test"
import { arrange } from "./arrange.ts"
import type { Network } from "./network.ts"

const get = (name: string): Network => ({
  id: name,
  name,
  driver: "bridge",
  createdAt: new Date(0),
  bridge: "",
  subnet: "",
  gateway: "",
  options: {
    ...(name.startsWith("closed") && { internal: true }),
    ...(name.startsWith("lan") && { interfaceName: "lan0" }),
  },
})

const of = (...requests: Parameters<typeof arrange>[0]) => arrange(requests, { get, taken: [] })

test("interfaces are numbered in order, beside the names that were asked for", () => {
  expect(of({ network: "a" }, { network: "b" }).interfaces).toEqual(["eth0", "eth1"])
  expect(of({ network: "a" }, { network: "b", interface: "eth0" }).interfaces).toEqual(["eth1", "eth0"])
  expect(of({ network: "lan1" }, { network: "lan2" }, { network: "c" }).interfaces).toEqual(["lan0", "eth0", "eth1"])
  expect(arrange([{ network: "a" }], { get, taken: ["eth0", "eth2"] }).interfaces).toEqual(["eth1"])
})

test("the uplink is the first of the highest priority that has a way out", () => {
  expect(of().uplink).toBeUndefined()
  expect(of({ network: "a" }, { network: "b" }).uplink).toBe(0)
  expect(of({ network: "a" }, { network: "b", gatewayPriority: 1 }).uplink).toBe(1)
  expect(of({ network: "a", gatewayPriority: -1 }, { network: "b" }, { network: "c" }).uplink).toBe(1)
  expect(of({ network: "closed", gatewayPriority: 9 }, { network: "b" }).uplink).toBe(1)
  expect(of({ network: "closed1" }, { network: "closed2", gatewayPriority: 9 }).uplink).toBe(1)
})
