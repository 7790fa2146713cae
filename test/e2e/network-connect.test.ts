/** `network connect` and `network disconnect`: live, stopped, killed at each step; the uplink and the published ports go with it. */
import { afterEach, beforeAll, describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { noLimits, openStore, testUnless } from "../support/store.ts"
import { eventually, freePort } from "../support/wait.ts"

const skiff = openStore()
const SERVE = 'mkdir -p /www; echo "page of $(hostname)" > /www/index.html; exec httpd -f -p 80 -h /www'

beforeAll(async () => {
  await skiff.ok("network", "create", "--subnet", "10.202.1.0/24", "red")
  const range = "fd42:202:2::/64"
  await skiff.ok("network", "create", "--subnet", "10.202.2.0/24", ...(noIpv6 ? [] : ["--subnet", range]), "blue")
})

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", "-t", "0", ...ids)
})

const noIpv6 = !existsSync("/proc/net/if_inet6") && "this kernel has no IPv6"
const sleeper = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, "--hostname", name, ...flags, "busybox", "sleep", "1000")
const serve = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, "--hostname", name, ...flags, "busybox", "sh", "-c", SERVE)
const inside = (name: string, script: string) => skiff.ok("exec", name, "sh", "-c", script)
/** On a machine at work a question may be lost: a program asks again, too. */
const finds = (name: string, other: string, address: string) =>
  eventually(async () => (await inside(name, `nslookup ${other} | tail -n +3`)).includes(address), 30_000)
const page = (port: number) =>
  eventually(async () => (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1_000) })).text())
const isClosed = (port: number) =>
  fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1_000) }).then(
    () => false,
    () => true,
  )
const networksOf = async (name: string) => (await skiff.inspect(name)).NetworkSettings.Networks
const names = async (name: string) => Object.keys(await networksOf(name))
const refused = async (...args: string[]) => {
  const { code, stderr } = await skiff.run(args)
  expect(code === 1 || code === 125).toBe(true)
  return stderr.trim().split("\n")[0] ?? ""
}

describe("live", () => {
  test("a container gets eth1 with address and names, and gives all of it back", async () => {
    await sleeper("peer", "--network", "blue")
    await sleeper("box", "--network", "red")
    await skiff.ok("network", "connect", "--ip", "10.202.2.50", "--alias", "b", "--link", "peer:friend", "blue", "box")
    const text = await inside("box", "ip -4 -o addr; ip route; cat /etc/hosts; ping -c1 -W5 friend")
    expect(text).toMatch(/eth1 +inet 10\.202\.2\.50\/24/)
    expect(text).toContain("default via 10.202.1.1 dev eth0")
    expect(text).toMatch(/^10\.202\.2\.50\tbox$/m)
    expect(text).toContain("1 packets received")
    expect((await networksOf("box")).blue).toMatchObject({
      IPAddress: "10.202.2.50",
      Aliases: ["b"],
      Links: ["peer:friend"],
      IPAMConfig: { IPv4Address: "10.202.2.50" },
    })
    await skiff.ok("network", "disconnect", "blue", "box")
    expect(await inside("box", "ip -o link; cat /etc/hosts")).not.toMatch(/eth1|10\.202\.2\./)
    expect(await names("box")).toEqual(["red"])
    // the address is anybody's
    await skiff.ok("run", "--rm", "--network", "name=blue,ip=10.202.2.50", "busybox", "true")
  })

  test("the first network goes, and the uplink and the published ports go on by the other", async () => {
    const [tcp, other] = [await freePort(), await freePort()]
    await serve("web", "--network", "red", "--network", "blue", "-p", `${tcp}:80`, "-p", `127.0.0.1:${other}:80`)
    for (const port of [tcp, other]) expect(await page(port)).toBe("page of web\n")
    await skiff.ok("network", "disconnect", "red", "web")
    for (const port of [tcp, other]) expect(await page(port)).toBe("page of web\n")
    expect(await inside("web", "ip route")).toContain("default via 10.202.2.1 dev eth1")
    expect(await skiff.ok("port", "web")).toContain(`80/tcp -> 127.0.0.1:${other}`)
    expect(await refused("run", "-d", "-p", `${tcp}:80`, "busybox", "true")).toContain("port is already allocated")
    // and back, under the number that is free
    await skiff.ok("network", "connect", "--gw-priority", "1", "red", "web")
    expect(await inside("web", "ip route")).toContain("default via 10.202.1.1 dev eth0")
    for (const port of [tcp, other]) expect(await page(port)).toBe("page of web\n")
    await skiff.ok("update", "-p", `-127.0.0.1:${other}:80`, "web")
    expect(await isClosed(other)).toBe(true)
    // an ordinary user's pasta of the former run ends when the machine has time for it
    await eventually(() => skiff.ok("restart", "-t", "0", "web"))
    expect(await page(tcp)).toBe("page of web\n")
  })

  test("without any network nothing is published, and the next one publishes it again", async () => {
    const port = await freePort()
    await serve("lone", "--network", "red", "-p", `${port}:80`)
    expect(await page(port)).toBe("page of lone\n")
    await skiff.ok("network", "disconnect", "red", "lone")
    expect(await isClosed(port)).toBe(true)
    expect(await inside("lone", "ip -o link")).not.toContain("eth0")
    expect((await skiff.inspect("lone")).NetworkSettings.Networks).toEqual({})
    await skiff.ok("network", "connect", "blue", "lone")
    expect(await page(port)).toBe("page of lone\n")
    await skiff.ok("network", "connect", "red", "lone")
    await skiff.ok("network", "disconnect", "blue", "lone")
    expect(await page(port)).toBe("page of lone\n")
  })

  testUnless(noIpv6)("IPv6 goes the same way: address, default route, hosts file", async () => {
    await sleeper("box", "--network", "red")
    await skiff.ok("network", "connect", "--ip6", "fd42:202:2::77", "blue", "box")
    expect((await networksOf("box")).blue).toMatchObject({
      GlobalIPv6Address: "fd42:202:2::77",
      IPAMConfig: { IPv6Address: "fd42:202:2::77" },
    })
    expect(await inside("box", "cat /etc/hosts")).toMatch(/^fd42:202:2::77\tbox$/m)
    await skiff.ok("network", "disconnect", "red", "box")
    expect(await inside("box", "ip -6 route")).toContain("default via fd42:202:2::1 dev eth1")
    await skiff.ok("stop", "-t", "0", "box")
    const taken = "name=blue,ip6=fd42:202:2:0::77"
    expect(await refused("run", "-d", "--network", taken, "busybox", "true")).toContain('in use by container "box"')
  })

  testUnless(noLimits)("a paused container is connected, and the events say both", async () => {
    await sleeper("still", "--network", "red")
    await skiff.ok("pause", "still")
    await skiff.ok("network", "connect", "blue", "still")
    await skiff.ok("unpause", "still")
    expect(await inside("still", "ip -o link")).toContain("eth1")
    await skiff.ok("network", "disconnect", "blue", "still")
    const events = await skiff.ok(
      "events",
      "--since",
      "1h",
      "--until",
      "0s",
      "--filter",
      "type=network",
      "--format",
      "{{.Action}} {{.Actor.Attributes.name}}",
    )
    expect(events.split("\n").slice(-2)).toEqual(["connect blue", "disconnect blue"])
  })
})

test("of many connects at once, to one network or for one address, one wins", async () => {
  await sleeper("box", "--network", "red")
  await sleeper("other", "--network", "red")
  const connect = ["network", "connect", "--ip", "10.202.2.99", "blue"]
  const outcomes = await Promise.all(["box", "other", "box", "other"].map((name) => skiff.run([...connect, name])))
  expect(outcomes.filter(({ code }) => code === 0)).toHaveLength(1)
  const on = await Promise.all(["box", "other"].map(names))
  expect(on.map((all) => all.length).toSorted()).toEqual([1, 2])
})

describe("a container that meddles with its own network", () => {
  test("is connected and disconnected all the same", async () => {
    await sleeper("box", "--network", "red", "--network", "blue", "--cap-add", "NET_ADMIN")
    await inside(
      "box",
      "ip link set eth1 down; ip link set eth1 name evil; ip link add eth1 type bridge; ip route flush table main",
    )
    await inside("box", "yes | head -c 4000000 > /etc/hosts; true")
    await skiff.ok("network", "disconnect", "blue", "box")
    expect(await inside("box", "ip -o link")).not.toContain("evil")
    const { stderr } = await skiff.run(["network", "connect", "blue", "box"])
    expect(stderr).toContain('container "box" has made an interface "eth1" itself')
    expect(await names("box")).toEqual(["red"])
    await inside("box", "ip link del eth1; ip link set eth0 name other")
    await skiff.ok("network", "connect", "--gw-priority", "1", "blue", "box")
    await skiff.ok("network", "disconnect", "red", "box")
    expect(await inside("box", "ip -o link")).not.toContain("other")
    expect(await names("box")).toEqual(["blue"])
  })
})

describe("names", () => {
  test("an alias is known on its network from the connect to the disconnect, and nowhere else", async () => {
    await sleeper("asker", "--network", "blue")
    await sleeper("stranger", "--network", "red")
    await sleeper("db", "--network", "red")
    await skiff.ok("network", "connect", "--ip", "10.202.2.44", "--alias", "store", "blue", "db")
    for (const name of ["store", "db"]) await finds("asker", name, "10.202.2.44")
    expect((await skiff.run(["exec", "stranger", "nslookup", "store"])).code).not.toBe(0)
    await skiff.ok("rename", "db", "database")
    await finds("asker", "database", "10.202.2.44")
    await finds("asker", "db", "10.202.2.44") // its host name
    await skiff.ok("network", "disconnect", "blue", "database")
    expect((await skiff.run(["exec", "asker", "nslookup", "store"])).code).not.toBe(0)
  })

  test("a container of the default network asks the resolver of one that it is connected to", async () => {
    await sleeper("friend", "--network", "blue")
    await sleeper("box")
    const before = await inside("box", "cat /etc/resolv.conf")
    await skiff.ok("network", "connect", "blue", "box")
    await finds("box", "friend", "10.202.2.")
    await skiff.ok("network", "disconnect", "blue", "box")
    expect(await inside("box", "cat /etc/resolv.conf")).toBe(before)
  })
})

describe("stopped", () => {
  test("it is on the network from its next start on, and no longer after the next", async () => {
    await skiff.ok("create", "--name", "later", "--network", "red", "busybox", "sleep", "1000")
    await skiff.ok("network", "connect", "--ip", "10.202.2.60", "blue", "later")
    expect(await refused("run", "-d", "--network", "name=blue,ip=10.202.2.60", "busybox", "true")).toContain("later")
    await skiff.ok("start", "later")
    expect(await inside("later", "ip -4 -o addr show eth1")).toContain("10.202.2.60/24")
    await skiff.ok("stop", "-t", "0", "later")
    await skiff.ok("network", "disconnect", "red", "later")
    await skiff.ok("start", "later")
    expect(await inside("later", "ip -4 -o addr show eth0")).toContain("10.202.2.60/24")
    expect(await names("later")).toEqual(["blue"])
  })

  test("a wanted address stays its own, and an automatic one comes back where it is free", async () => {
    await sleeper("fixed", "--network", "name=red,ip=10.202.1.77")
    await sleeper("loose", "--network", "blue")
    const before = (await networksOf("loose")).blue
    await skiff.ok("stop", "-t", "0", "fixed", "loose")
    expect(await refused("run", "-d", "--network", "name=red,ip=10.202.1.77", "busybox", "true")).toContain("fixed")
    await sleeper("passer", "--network", "blue")
    await skiff.ok("start", "fixed", "loose")
    const after = (await networksOf("loose")).blue
    expect([after?.IPAddress, after?.MacAddress]).toEqual([before?.IPAddress ?? "", before?.MacAddress ?? ""])
    expect((await networksOf("fixed")).red?.IPAddress).toBe("10.202.1.77")
    await skiff.ok("rm", "-f", "-t", "0", "fixed")
    await skiff.ok("run", "--rm", "--network", "name=red,ip=10.202.1.77", "busybox", "true")
    // somebody else has it: another will do
    await skiff.ok("stop", "-t", "0", "loose")
    await sleeper("taker", "--network", `name=blue,ip=${before?.IPAddress}`)
    await skiff.ok("start", "loose")
    expect((await networksOf("loose")).blue?.IPAddress).not.toBe(before?.IPAddress)
  })
})

test("over a reboot the networks and their addresses are kept, and a connect that it cut off is forgotten", async () => {
  await sleeper("box", "--network", "name=red,ip=10.202.1.88", "--network", "blue")
  const before = await networksOf("box")
  await skiff.run(["network", "connect", "bridge", "box"], { env: { SKIFF_CRASH_AT: "connect:joined" } })
  const { Pid: pid } = (await skiff.inspect("box")).State
  const db = new DatabaseSync(join(skiff.root, "skiff.db"))
  db.exec(`UPDATE containers SET state = json_set(state, '$.bootId', 'of-another-boot') WHERE name = 'box'`)
  db.close()
  process.kill(pid, "SIGKILL")
  await eventually(async () => (await skiff.inspect("box")).State.Status === "exited")
  expect(await refused("run", "-d", "--network", "name=red,ip=10.202.1.88", "busybox", "true")).toContain("box")
  await skiff.ok("start", "box")
  const after = await networksOf("box")
  expect(Object.keys(after)).toEqual(["red", "blue"])
  for (const network of ["red", "blue"]) expect(after[network]?.IPAddress).toBe(before[network]?.IPAddress ?? "")
})

describe("what cannot be is refused, and leaves all as it was", () => {
  test("one line each", async () => {
    await sleeper("box", "--network", "red")
    await sleeper("host", "--network", "host")
    await sleeper("none", "--network", "none")
    await skiff.ok("run", "-d", "--name", "guest", "--network", "container:box", "busybox", "sleep", "1000")
    const cases: [string[], string][] = [
      [["connect", "red", "box"], "container box is already connected to network red"],
      [["disconnect", "blue", "box"], "container box is not connected to network blue"],
      [["connect", "nowhere", "box"], "network nowhere not found"],
      [["disconnect", "nowhere", "box"], "network nowhere not found"],
      [["connect", "blue", "nobody"], 'no such container: "nobody"'],
      [["connect", "blue", "host"], "sharing network namespace with another container or host"],
      [["connect", "blue", "guest"], "sharing network namespace with another container or host"],
      [["connect", "blue", "none"], "in private (none) mode"],
      [["connect", "--ip", "10.202.1.5", "blue", "box"], "address 10.202.1.5 cannot be given"],
      [["connect", "--alias", "x", "bridge", "box"], "network-scoped aliases are only supported"],
      [
        ["connect", "--driver-opt", "com.docker.network.endpoint.ifname=eth0", "blue", "box"],
        'interface name "eth0" is taken',
      ],
      [["connect", "--link-local-ip", "169.254.3.3", "blue", "box"], "no link-local address"],
    ]
    for (const [args, words] of cases) expect(await refused("network", ...args)).toContain(words)
    expect(await names("box")).toEqual(["red"])
    expect(await inside("box", "ip -o link")).not.toContain("eth1")
  })
})

describe("kill -9", () => {
  for (const point of ["recorded", "joined", "led"])
    test(`connect, killed at ${point}, has made nothing`, async () => {
      const port = await freePort()
      await serve("box", "--network", "red", "-p", `${port}:80`)
      await page(port)
      const connect = ["network", "connect", "--ip", "10.202.2.90", "--gw-priority", "3", "blue", "box"]
      await skiff.run(connect, { env: { SKIFF_CRASH_AT: `connect:${point}` } })
      // any command that changes something repairs
      await skiff.ok("run", "--rm", "--network", "name=blue,ip=10.202.2.90", "busybox", "true")
      expect(await names("box")).toEqual(["red"])
      expect(await inside("box", "ip -o link; ip route; cat /etc/hosts")).not.toMatch(/eth1|10\.202\.2\./)
      expect(await inside("box", "ip route")).toContain("default via 10.202.1.1 dev eth0")
      expect(await page(port)).toBe("page of box\n")
      await skiff.ok(...connect)
      expect(await page(port)).toBe("page of box\n")
    })

  for (const point of ["recorded", "led", "interface-gone"])
    test(`disconnect, killed at ${point}, is finished`, async () => {
      const port = await freePort()
      await serve("box", "--network", "red", "--network", "blue", "-p", `${port}:80`)
      await page(port)
      await skiff.run(["network", "disconnect", "red", "box"], { env: { SKIFF_CRASH_AT: `disconnect:${point}` } })
      await skiff.ok("run", "--rm", "busybox", "true")
      expect(await names("box")).toEqual(["blue"])
      expect(await inside("box", "ip -o link; ip route")).not.toMatch(/eth0|10\.202\.1\./)
      expect(await inside("box", "ip route")).toContain("default via 10.202.2.1 dev eth1")
      expect(await page(port)).toBe("page of box\n")
      await skiff.ok("network", "connect", "red", "box")
    })

  test("a start, killed between two networks, is undone", async () => {
    await skiff.ok("create", "--name", "box", "--network", "red", "--network", "blue", "busybox", "sleep", "1000")
    await skiff.run(["start", "box"], { env: { SKIFF_CRASH_AT: "start:network-joined" } })
    await skiff.ok("start", "box")
    expect(await inside("box", "ip -o link")).toContain("eth1")
  })
})
