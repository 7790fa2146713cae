/** Many processes at once on one store, as commands of skiff are. */
import { expect, test } from "bun:test"
import { run } from "../sys/process/process.ts"
import { openTestHost, type Peer } from "./test-host.ts"

const PROCESSES = 8
const EACH = 4

/** One process: sets up its endpoints, and tells addresses and refusals. */
const SETUP = `
const [directory, runRoot, number, ...pids] = process.argv.slice(1)
const { Database } = await import(directory + "/../base/database.ts")
const { openNetworks } = await import(directory + "/open.ts")
const db = new Database(runRoot + "/skiff.db")
const networks = openNetworks({ db, runRoot })
const network = networks.get("bridge")
const results = await Promise.all(pids.map(async (pid, index) => {
  const ports = index === 0 ? [{ protocol: "tcp", containerPort: 80, hostPort: 8080 }] : []
  const containerId = (number + index).padEnd(64, "a")
  try {
    return (await networks.setup(network, { containerId, netns: "/proc/" + pid + "/ns/net", holder: Number(pid), hostname: "x", ports })).address
  } catch (error) {
    return error.code
  }
}))
console.log(JSON.stringify(results))
`

test.skipIf(process.getuid?.() !== 0)(
  "processes that come at once make one bridge, take distinct addresses, and one of them the port",
  async () => {
    using host = await openTestHost()
    const peers: Peer[] = []
    for (let index = 0; index < PROCESSES * EACH; index++) peers.push(await host.peer())
    const results = await Promise.all(
      Array.from({ length: PROCESSES }, async (_, number) => {
        const pids = peers.slice(number * EACH, (number + 1) * EACH).map(({ pid }) => `${pid}`)
        const words = ["-e", SETUP, import.meta.dir, host.runRoot, String(number), ...pids]
        const { stdout, stderr } = await run([process.execPath, ...words])
        expect(stderr).toBe("")
        return JSON.parse(stdout) as string[]
      }),
    )
    const all = results.flat()
    const refused = all.filter((word) => word === "AlreadyExists")
    const addresses = all.filter((word) => word.startsWith("172.17."))
    expect(refused).toHaveLength(PROCESSES - 1)
    expect(new Set(addresses).size).toBe(PROCESSES * EACH - refused.length)
    expect(addresses).toHaveLength(PROCESSES * EACH - refused.length)
    expect((await host.run("sh", "-c", "ip -br link show type bridge | wc -l")).trim()).toBe("1")
  },
  20_000,
)

test.skipIf(process.getuid?.() !== 0)("a range in use on the host is left out, and the choice is kept", async () => {
  using host = await openTestHost()
  await host.run("sh", "-c", "ip link add used0 type bridge; ip addr add 172.17.3.1/24 dev used0; ip link set used0 up")
  await host.run("ip", "route", "add", "172.18.0.0/15", "dev", "used0")
  const network = host.networks.get("bridge")
  expect(network.subnet).toBe("172.20.0.0/16")
  await host.run("ip", "link", "delete", "used0")
  expect(host.networks.get(network.id)).toEqual(network)
  expect(() => host.networks.get("nope")).toThrow("network nope not found")
})

test.skipIf(process.getuid?.() !== 0)(
  "the bridge and table of a store that was thrown away go with the next one",
  async () => {
    using host = await openTestHost()
    const peer = await host.peer()
    const { bridge } = host.networks.get("bridge")
    const status = await host.networks.setup(host.networks.get("bridge"), host.endpoint(peer, "aa"))
    expect(status.network).toBe("bridge")
    await host.run("ip", "link", "add", "sk000000000", "type", "bridge")
    await host.run("sh", "-c", "ip link add skdeadbeef0 type bridge; ip link set skdeadbeef0 alias 'skiff /gone'")
    const { kernelNames } = await import("./names.ts")
    const gone = kernelNames("/nowhere/at/all", false)
    await host.run("ip", "link", "add", gone.bridge, "type", "bridge")
    await host.run("ip", "link", "set", gone.bridge, "alias", gone.alias)
    await host.run("nft", "add", "table", "inet", gone.table)
    const { NetlinkSocket, openNetlink, NETLINK_ROUTE } = await import("../sys/net/netlink.ts")
    const { reapBridges } = await import("./reap-bridges.ts")
    using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
    reapBridges(route)
    const names = (await host.run("sh", "-c", "ip -br link show type bridge"))
      .split("\n")
      .map((line) => line.split(" ")[0])
    // one without an alias, and one whose name does not follow from it, are not ours
    expect(names.toSorted()).toEqual([bridge, "sk000000000", "skdeadbeef0"].toSorted())
    expect(await host.run("nft", "list", "tables")).not.toContain(gone.table)
  },
)
