import { expect, test } from "bun:test"
import type { ServiceNetwork } from "../project.ts"
import { contextOf } from "./context.suite.ts"
import { networkOptions } from "./networks.ts"

const networks = { back: { name: "p_back" }, front: { name: "outside", external: true } }

test("the network of the highest priority comes first, and each has the names of the service", () => {
  const service = { networks: { back: null, front: { priority: 5, aliases: ["www"], ipv4_address: "10.1.2.3" } } }
  expect(networkOptions(contextOf(service, { networks }), "p-web-1")).toEqual({
    network: { kind: "bridge", name: "outside" },
    networks: [
      { network: "outside", aliases: ["p-web-1", "web", "www"], address: "10.1.2.3" },
      { network: "p_back", aliases: ["p-web-1", "web"] },
    ],
  })
})

test("a one-off has no name but its own", () => {
  const { networks: [request] = [] } = networkOptions(
    contextOf({ networks: { back: { aliases: ["x"] } } }, { networks }),
    "n",
    {
      oneOff: true,
    },
  )
  expect(request?.aliases).toEqual(["n"])
})

test("every key of a network reaches the request", () => {
  const wanted = {
    ipv6_address: "fd00::5",
    mac_address: "02:42:AC:11:00:02",
    interface_name: "lan0",
    gw_priority: 7,
    driver_opts: { "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.log_martians=1" },
  }
  const { networks: [request] = [] } = networkOptions(contextOf({ networks: { back: wanted } }, { networks }), "n")
  expect(request).toMatchObject({
    address6: "fd00::5",
    macAddress: "02:42:ac:11:00:02",
    interface: "lan0",
    gatewayPriority: 7,
    sysctls: { "net.ipv4.conf.IFNAME.log_martians": "1" },
  })
})

test("the service's own MAC address is the first network's", () => {
  const service = { mac_address: "02:00:00:00:00:01", networks: { back: null, front: null } }
  const { networks: requests = [] } = networkOptions(contextOf(service, { networks }), "n")
  expect(requests.map(({ macAddress }) => macAddress)).toEqual(["02:00:00:00:00:01", undefined])
})

test("links are names of each container of the other service, on networks that both are on", () => {
  const service = { links: ["db:sql"], external_links: ["old:legacy"], networks: { back: null, front: null } }
  const project = { networks, services: { db: { networks: { back: null } } } }
  const containers = { db: [{ id: "1", name: "p-db-1", number: 1 }] }
  const { networks: requests = [] } = networkOptions(contextOf(service, project, containers), "n")
  expect(requests.map(({ links }) => links)).toEqual([["p-db-1:sql", "p-db-1:db-1", "old:legacy"], ["old:legacy"]])
})

test.each([
  [undefined, { kind: "none" }],
  ["host", { kind: "host" }],
  ["none", { kind: "none" }],
  ["bridge", { kind: "bridge", name: "bridge" }],
  ["container:abc", { kind: "container", container: "abc" }],
  ["mine", { kind: "bridge", name: "mine" }],
] as const)("network_mode %p is %p", (mode, network) => {
  expect(networkOptions(contextOf(mode === undefined ? {} : { network_mode: mode }), "n")).toEqual({ network } as never)
})

const refusal = (wanted: ServiceNetwork) => () =>
  networkOptions(contextOf({ networks: { back: wanted } }, { networks }), "n")

test("a network that the engine has of itself stands alone", () => {
  const project = { networks: { ...networks, out: { name: "host", external: true } } }
  expect(networkOptions(contextOf({ networks: { out: null } }, project), "n")).toEqual({ network: { kind: "host" } })
  expect(() => networkOptions(contextOf({ networks: { out: null, back: null } }, project), "n")).toThrow(
    "services.web.networks: ",
  )
})

test("what no network gives is refused with its key", () => {
  expect(refusal({ link_local_ips: ["169.254.1.1"] })).toThrow("services.web.networks.back.link_local_ips: ")
  expect(refusal({ ipv4_address: "10.0.0.300" })).toThrow("services.web.networks.back.ipv4_address: ")
})
