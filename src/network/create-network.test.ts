/** What a new network may have is asked of the records and of the kernel of a host of the test's own. */
import { expect, test } from "bun:test"
import { eventually } from "../../test/support/wait.ts"
import { kernelNames } from "./names.ts"
import { openStoreBeside, openTestHost } from "./test-host.ts"

const asRoot = test.skipIf(process.getuid?.() !== 0)
const bridges = (text: string) =>
  text
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter(Boolean)

asRoot("a range that the host, a network or another store has is refused by name, of both families", async () => {
  using host = await openTestHost()
  const up = "ip link add used0 type bridge; ip addr add 10.61.0.1/24 dev used0; ip link set used0 up"
  await host.run("sh", "-c", `${up}; ip -6 addr add fd61::1/64 dev used0 nodad`)
  await host.run("ip", "route", "add", "10.62.0.0/16", "via", "10.61.0.9")
  await host.run("ip", "-6", "route", "add", "fd62::/48", "via", "fd61::9")
  await host.networks.create({ name: "web", subnet: "10.63.0.0/24", subnet6: "fd63::/64" })
  using beside = openStoreBeside()
  await beside.networks.create({ name: "theirs", subnet: "10.64.0.0/24" })
  const cases: [wanted: { subnet?: string; subnet6?: string }, message: string | RegExp][] = [
    [{ subnet: "10.61.0.128/25" }, 'overlaps address 10.61.0.1/24 of "used0"'],
    [{ subnet: "10.62.7.0/24" }, 'overlaps the route of this host to 10.62.0.0/16 by "used0"'],
    [{ subnet: "10.63.0.0/16" }, 'overlaps 10.63.0.0/24 of network "web"'],
    [{ subnet: "10.64.0.0/24" }, /overlaps address 10\.64\.0\.1\/24 of "sk\w+", a network of the store at \/tmp/],
    [{ subnet6: "fd61::/80" }, 'overlaps address fd61::1/64 of "used0"'],
    [{ subnet6: "fd62:0:0:7::/64" }, 'overlaps the route of this host to fd62::/48 by "used0"'],
    [{ subnet6: "fd63::/48" }, 'overlaps fd63::/64 of network "web"'],
  ]
  for (const [wanted, message] of cases) {
    const attempt = host.networks.create({ name: "wrong", ...wanted })
    await expect(attempt).rejects.toMatchObject({ code: "AlreadyExists", field: "subnet" })
    await expect(attempt).rejects.toThrow(message)
  }
  expect(host.networks.list().map(({ name }) => name)).toEqual(["web"])
})

asRoot("a bridge that a killed process left goes with the next create; another's stays", async () => {
  using host = await openTestHost()
  const { bridge } = await host.networks.create({ name: "kept" })
  const alias = `skiff ${host.runRoot}`
  await host.run(
    "sh",
    "-c",
    `ip link add left0 type bridge; ip link set left0 alias '${alias}'; ip link add other0 type bridge`,
  )
  const next = await host.networks.create({ name: "next" })
  const names = bridges(await host.run("ip", "-br", "link", "show", "type", "bridge"))
  expect(names.toSorted()).toEqual([bridge, next.bridge, "other0"].toSorted())
})

asRoot("a name that an interface of the host has is no bridge's", async () => {
  using host = await openTestHost()
  await host.run("ip", "link", "add", "mine0", "type", "bridge")
  await expect(host.networks.create({ name: "x", bridge: "mine0" })).rejects.toThrow(
    'interface "mine0" is on this host',
  )
  for (const bridge of ["egress0", "pub7", kernelNames(host.runRoot, false).port])
    await expect(host.networks.create({ name: "x", bridge })).rejects.toThrow("interfaces of containers are called so")
  await expect(host.networks.create({ name: "x", bridge: "no/name" })).rejects.toMatchObject({ field: "bridge" })
})

asRoot("what somebody is on cannot be removed, and what is removed is gone from kernel and records", async () => {
  using host = await openTestHost()
  const network = await host.networks.create({ name: "used" })
  const peer = await host.peer()
  const status = await host.networks.setup(network, host.endpoint(peer, "aa"))
  await expect(host.networks.remove(network)).rejects.toMatchObject({ code: "FailedPrecondition" })
  await host.networks.teardown(network, "aa".padEnd(64, "0"), status)
  await host.networks.remove(network)
  expect(bridges(await host.run("ip", "-br", "link", "show", "type", "bridge"))).toEqual([])
  expect(() => host.networks.get("used")).toThrow("network used not found")
  const usual = host.networks.get("bridge")
  await expect(host.networks.remove(usual)).rejects.toMatchObject({ code: "InvalidArgument" })
})

asRoot("what a killed process left on a network does not hold it", async () => {
  using host = await openTestHost()
  const network = await host.networks.create({ name: "held" })
  const peer = await host.peer()
  await host.networks.setup(network, host.endpoint(peer, "bb"))
  await expect(host.networks.remove(network)).rejects.toThrow('network "held" is in use by "bb0000000000"')
  peer[Symbol.dispose]()
  await eventually(() => host.networks.remove(network))
  expect(host.db.get("SELECT count(*) AS count FROM network_endpoints")).toEqual({ count: 0 })
})

asRoot("the beginning of an id names a network, unless several begin so", async () => {
  using host = await openTestHost()
  const made = await Promise.all(Array.from({ length: 20 }, (_, index) => host.networks.create({ name: `n${index}` })))
  const [first] = made
  if (first === undefined) throw new Error("no network was made")
  expect(host.networks.get(first.id.slice(0, 12))).toEqual(first)
  // of twenty ids two begin with the same of sixteen digits
  const digits = made.map(({ id }) => id[0] ?? "")
  const twice = digits.find((digit, index) => digits.indexOf(digit) !== index) ?? ""
  expect(() => host.networks.get(twice)).toThrow("several networks have an id that begins with")
})
