/** Networks that users make: their ranges, their names, their bridges on the host, and what is left when they go. */
import { ten } from "../support/ranges.ts"
import { spawnSync } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "bun:test"
import { kernelNames } from "../../src/network/names.ts"
import { bridgesOf, removeNetwork } from "../support/remove-network.ts"
import { Skiff } from "../support/skiff.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"

const skiff = openStore()
const asRoot = testUnless(asRootOnly)

interface NetworkDocument {
  Id: string
  IPAM: { Config: { Subnet: string; Gateway: string; IPRange?: string; AuxiliaryAddresses?: Record<string, string> }[] }
  Containers: Record<string, { Name: string; IPv4Address: string; MacAddress: string }>
  Options: Record<string, string>
  Labels: Record<string, string>
}

async function inspectNetwork(name: string): Promise<NetworkDocument> {
  const [document] = JSON.parse(await skiff.ok("network", "inspect", name)) as [NetworkDocument]
  return document
}

/** What it says on standard error, and its exit code. */
async function refused(...args: string[]): Promise<{ code: number; stderr: string }> {
  const { code, stderr, stdout } = await skiff.run(args)
  expect(stdout).toBe("")
  return { code, stderr }
}

const own = () => bridgesOf(skiff.runRoot)
const addressIn = (network: string, ...flags: string[]) =>
  skiff.ok(
    "run",
    "--rm",
    "--network",
    network,
    ...flags,
    "busybox",
    "sh",
    "-c",
    "ip -4 -o addr show eth0 | awk '{print $4}'",
  )

const crash = (at: string, ...args: string[]) => skiff.run(args, { env: { SKIFF_CRASH_AT: at } })

/** All that is on the host of an interface. */
const onHost = (name: string): string[] =>
  ["addr", "link"].map((kind) => spawnSync("ip", ["-o", kind, "show", name]).stdout.toString())

describe("network create", () => {
  test("makes a network that ls, inspect and exists know by name, id and the beginning of one", async () => {
    const id = await skiff.ok("network", "create", "--label", "team=web", "--label", "empty", "known")
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    for (const name of ["known", id, id.slice(0, 12)]) {
      expect((await skiff.run(["network", "exists", name])).code).toBe(0)
      expect(await skiff.ok("network", "inspect", "-f", "{{.Name}} {{.Labels.team}}", name)).toBe("known web")
    }
    const shown = await skiff.ok(
      "network",
      "ls",
      "--filter",
      "label=team=web",
      "--format",
      "{{.ID}} {{.Name}} {{.Driver}}",
    )
    expect(shown).toBe(`${id.slice(0, 12)} known bridge`)
    const { IPAM } = await inspectNetwork("known")
    expect(IPAM.Config[0]?.Gateway).toMatch(/\.1$/)
  })

  test("gives containers the addresses of its range, but those that are set aside", async () => {
    const flags = ["--subnet", `${ten(81)}.0.0/24`, "--gateway", `${ten(81)}.0.200`, "--ip-range", `${ten(81)}.0.8/30`]
    await skiff.ok("network", "create", ...flags, "--aux-address", `printer=${ten(81)}.0.10`, "ranged")
    expect((await inspectNetwork("ranged")).IPAM.Config).toEqual([
      {
        Subnet: `${ten(81)}.0.0/24`,
        IPRange: `${ten(81)}.0.8/30`,
        Gateway: `${ten(81)}.0.200`,
        AuxiliaryAddresses: { printer: `${ten(81)}.0.10` },
      },
      { Subnet: expect.stringMatching(/^fd.*::\/64$/), Gateway: expect.stringMatching(/^fd.*::1$/) },
    ])
    for (const address of [`${ten(81)}.0.9/24`, `${ten(81)}.0.11/24`, `${ten(81)}.0.9/24`])
      expect(await addressIn("ranged")).toBe(address)
    expect(await addressIn("ranged", "--ip", `${ten(81)}.0.77`)).toBe(`${ten(81)}.0.77/24`)
    const { code, stderr } = await refused(
      "run",
      "--rm",
      "--network",
      "ranged",
      "--ip",
      `${ten(81)}.0.10`,
      "busybox",
      "true",
    )
    expect(code).toBe(125)
    expect(stderr).toContain(`address ${ten(81)}.0.10 cannot be given to a container`)
    const way = await skiff.ok("run", "--rm", "--network", "ranged", "busybox", "sh", "-c", "ip route | head -n 1")
    expect(way).toContain(`default via ${ten(81)}.0.200`)
  })

  test("without a name it takes network1 and so on; without a subnet the next free one", async () => {
    const names = async () => (await skiff.ok("network", "ls", "--format", "{{.Name}}")).split("\n")
    await skiff.ok("network", "create")
    await skiff.ok("network", "create")
    expect(await names()).toEqual(expect.arrayContaining(["bridge", "host", "network1", "network2", "none"]))
    const subnets = await Promise.all(
      ["network1", "network2"].map(async (name) => (await inspectNetwork(name)).IPAM.Config[0]?.Subnet),
    )
    expect(new Set(subnets).size).toBe(2)
  })

  test("an MTU holds for the interfaces of its containers", async () => {
    await skiff.ok("network", "create", "-o", "com.docker.network.driver.mtu=1342", "narrow")
    await addressIn("narrow")
    expect(await skiff.ok("run", "--rm", "--network", "narrow", "busybox", "cat", "/sys/class/net/eth0/mtu")).toBe(
      "1342",
    )
  })

  test("ports that name no address are published on the network's own; interfaces begin as it says", async () => {
    const options = ["bridge.host_binding_ipv4=127.0.0.1", "container_iface_prefix=lan"]
    const flags = options.flatMap((option) => ["-o", `com.docker.network.${option}`])
    await skiff.ok("network", "create", ...flags, "local")
    await skiff.ok("run", "-d", "--name", "bound", "--network", "local", "-p", "80", "busybox", "sleep", "100")
    expect(await skiff.ok("port", "bound", "80")).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(await skiff.ok("exec", "bound", "ls", "/sys/class/net")).toBe("lan0\nlo")
    await skiff.ok("update", "-p", "+81", "bound")
    expect(await skiff.ok("port", "bound", "81")).toMatch(/^127\.0\.0\.1:\d+$/)
    await skiff.ok("rm", "-f", "bound")
  })

  test("routes hold in each container, and a default one where it is not wanted does not", async () => {
    const routes = ["--route", `10.200.0.7/16,${ten(81)}.30.9`, "--route", `10.201.0.0/16,${ten(81)}.30.9,50`]
    await skiff.ok(
      "network",
      "create",
      "--subnet",
      `${ten(81)}.30.0/24`,
      ...routes,
      "-o",
      "no_default_route=1",
      "routed",
    )
    const shown = await skiff.ok("run", "--rm", "--network", "routed", "busybox", "ip", "-4", "route")
    expect(shown.split("\n").map((line) => line.trim().replaceAll(/ +/g, " "))).toEqual([
      expect.stringMatching(/^10\.1?81\.30\.0\/24 dev eth0/),
      `10.200.0.0/16 via ${ten(81)}.30.9 dev eth0`,
      `10.201.0.0/16 via ${ten(81)}.30.9 dev eth0 metric 50`,
    ])
  })

  test("--ignore leaves one that is there as it is; --internal and the rest are told by inspect", async () => {
    const id = await skiff.ok("network", "create", "--internal", "--attachable", "there")
    expect(await skiff.ok("network", "create", "--ignore", "--subnet", `${ten(81)}.9.0/24`, "there")).toBe(id)
    expect(await skiff.ok("network", "inspect", "-f", "{{.Internal}} {{.Attachable}}", "there")).toBe("true true")
  })

  test("of many that come at once each has its own range and bridge", async () => {
    const names = Array.from({ length: 6 }, (_, index) => `race${index}`)
    await Promise.all(names.map((name) => skiff.ok("network", "create", name)))
    const documents = await Promise.all(names.map(inspectNetwork))
    expect(new Set(documents.map(({ IPAM }) => IPAM.Config[0]?.Subnet)).size).toBe(names.length)
    expect(new Set(documents.map(({ Options }) => Options["com.docker.network.bridge.name"])).size).toBe(names.length)
    await skiff.ok("network", "rm", ...names)
  })

  test("of many that want one name one gets it, and the others are told", async () => {
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => skiff.run(["network", "create", "one-name"])))
    expect(outcomes.map(({ code }) => code).toSorted()).toEqual([0, 1, 1, 1])
    for (const { code, stderr } of outcomes)
      if (code !== 0) expect(stderr).toContain('network "one-name" already exists')
  })

  asRoot("has a bridge on the host, by the name that is asked for", async () => {
    await skiff.ok(
      "network",
      "create",
      "-o",
      "com.docker.network.bridge.name=br-e2e",
      "--subnet",
      `${ten(81)}.20.0/24`,
      "named",
    )
    expect(spawnSync("ip", ["-4", "-o", "addr", "show", "br-e2e"]).stdout.toString()).toContain(`${ten(81)}.20.1/24`)
    const { code, stderr } = await refused("network", "create", "--interface-name", "br-e2e", "again")
    expect(code).toBe(1)
    expect(stderr).toContain('interface "br-e2e" is that of network "named"')
    await skiff.ok("network", "rm", "named")
    expect(own()).not.toContain("br-e2e")
  })

  asRoot("leaves a bridge alone that somebody else has made by its name", async () => {
    await skiff.ok("network", "create", "-o", "com.docker.network.bridge.name=br-e2e", "late")
    // as after a reboot
    spawnSync("ip", ["link", "del", "br-e2e"])
    expect(spawnSync("ip", ["link", "add", "br-e2e", "type", "bridge"]).status).toBe(0)
    try {
      const before = onHost("br-e2e")
      const { code, stderr } = await skiff.run(["run", "--rm", "--network", "late", "busybox", "true"])
      expect([code, stderr]).toEqual([125, expect.stringContaining('the interface "br-e2e" of this host is none of')])
      await skiff.ok("network", "rm", "late")
      expect(onHost("br-e2e")).toEqual(before)
    } finally {
      spawnSync("ip", ["link", "del", "br-e2e"])
    }
  })
})

describe("what cannot be is refused, and nothing is made", () => {
  const wrong: [why: string, args: string[], message: string][] = [
    [
      "a range of another network",
      ["--subnet", `${ten(82)}.0.128/25`, "x"],
      `overlaps ${ten(82)}.0.0/24 of network "taken"`,
    ],
    ["an address of the host", ["--subnet", "127.0.0.0/8", "x"], "is not for networks"],
    [
      "a gateway outside",
      ["--subnet", `${ten(83)}.0.0/24`, "--gateway", `${ten(84)}.0.1`, "x"],
      `not in subnet ${ten(83)}.0.0/24`,
    ],
    ["a range outside", ["--subnet", `${ten(83)}.0.0/24`, "--ip-range", `${ten(84)}.0.0/25`, "x"], "is not in subnet"],
    [
      "an address set aside outside",
      ["--subnet", `${ten(83)}.0.0/24`, "--aux-address", `a=${ten(84)}.0.1`, "x"],
      "no matching",
    ],
    ["a gateway without a subnet", ["--gateway", `${ten(83)}.0.1`, "x"], "cannot set gateway or range without subnet"],
    ["host bits", ["--subnet", `${ten(83)}.0.7/24`, "x"], `did you mean ${ten(83)}.0.0/24`],
    ["no range at all", ["--subnet", "ten", "x"], 'invalid subnet "ten"'],
    [
      "two ranges of a family",
      ["--subnet", `${ten(83)}.0.0/24`, "--subnet", `${ten(84)}.0.0/24`, "x"],
      "one subnet of IPv4",
    ],
    ["a range without room", ["--subnet", `${ten(83)}.0.0/31`, "x"], "too small"],
    ["the name of another", ["taken"], 'network "taken" already exists'],
    ["the word for a mode", ["host"], "the word is a network mode"],
    ["a name that is none", ["a/b"], 'invalid network name "a/b"'],
    ["a driver that is none", ["-d", "overlay", "x"], "there is no swarm"],
    ["a scope", ["--scope", "swarm", "x"], "this engine is of one host"],
    ["an option nobody knows", ["-o", "colour=red", "x"], 'unsupported network option "colour"'],
    ["an option of no use here", ["-o", "vrf=blue", "x"], "bridges are in the main routing table"],
    ["an MTU of none", ["-o", "mtu=12", "x"], "expected a number from 68"],
    ["a name server that is none", ["--dns", "dns.example.org", "x"], "invalid name server"],
    [
      "a route by nobody",
      ["--subnet", `${ten(83)}.0.0/24`, "--route", `10.9.0.0/16,${ten(84)}.0.1`, "x"],
      `is not in ${ten(83)}.0.0/24`,
    ],
  ]

  test.each(wrong)("%s", async (_, args, message) => {
    await skiff.run(["network", "create", "--subnet", `${ten(82)}.0.0/24`, "taken"])
    const before = await skiff.ok("network", "ls", "-q", "--no-trunc")
    const { code, stderr } = await refused("network", "create", ...args)
    expect(stderr).toContain(message)
    expect([1, 125]).toContain(code)
    expect(await skiff.ok("network", "ls", "-q", "--no-trunc")).toBe(before)
  })
})

describe("network rm", () => {
  test("refuses one that a container uses, by the container's name, running or not", async () => {
    await skiff.ok("network", "create", "used")
    await skiff.ok("run", "-d", "--name", "user", "--network", "used", "busybox", "sleep", "100")
    const { Containers } = await inspectNetwork("used")
    expect(Object.values(Containers)).toEqual([expect.objectContaining({ Name: "user" })])
    for (const stop of [false, true]) {
      if (stop) await skiff.ok("stop", "-t", "0", "user")
      const { code, stderr } = await refused("network", "rm", "used")
      expect({ code, says: stderr.includes('network "used" is in use by "user"') }).toEqual({ code: 1, says: true })
      const podman = await skiff.run(["network", "rm", "used"], { env: { SKIFF_COMPAT: "podman" } })
      expect(podman.code).toBe(2)
    }
    await skiff.ok("rm", "user")
    expect(await skiff.ok("network", "rm", "used")).toBe("used")
    expect((await skiff.run(["network", "exists", "used"])).code).toBe(1)
  })

  test("-f takes it from the containers that use it, which go on", async () => {
    await skiff.ok("network", "create", "forced")
    await skiff.ok("run", "-d", "--name", "stays", "--network", "forced", "busybox", "sleep", "100")
    await skiff.ok("create", "--name", "waits", "--network", "forced", "busybox", "true")
    expect(await skiff.ok("network", "rm", "-f", "forced")).toBe("forced")
    expect(await skiff.ok("exec", "stays", "sh", "-c", "ls /sys/class/net")).toBe("lo")
    expect((await skiff.run(["start", "-a", "waits"])).code).toBe(0)
    await skiff.ok("rm", "-f", "stays", "waits")
  })

  test("refuses what is always there, and tells what is not", async () => {
    for (const name of ["bridge", "host", "none"])
      expect((await refused("network", "rm", name)).stderr).toContain(`${name} is a pre-defined network`)
    expect(await refused("network", "rm", "absent")).toMatchObject({ code: 1 })
    expect(await skiff.ok("network", "rm", "-f", "absent")).toBe("")
    await skiff.ok("network", "create", "last")
    const { code, stdout, stderr } = await skiff.run(["network", "rm", "absent", "last"])
    expect({ code, stdout }).toEqual({ code: 1, stdout: "last\n" })
    expect(stderr).toContain("network absent not found")
  })

  test("refuses one that a pod uses, by the pod's name, and -f leaves the pod alone", async () => {
    await skiff.ok("network", "create", "pods")
    await skiff.ok("pod", "create", "--name", "shop", "--network", "pods")
    for (const force of [[], ["-f"]]) {
      const { code, stderr } = await refused("network", "rm", ...force, "pods")
      expect({ code, says: stderr.includes('network "pods" is in use by "pod shop"') }).toEqual({ code: 1, says: true })
    }
    expect(await skiff.ok("network", "ls", "-q", "--filter", "dangling=true", "--filter", "name=pods")).toBe("")
    await skiff.ok("pod", "rm", "-f", "shop")
    expect(await skiff.ok("network", "ls", "-q", "--filter", "dangling=true", "--filter", "name=pods")).not.toBe("")
    await skiff.ok("network", "rm", "pods")
  })

  test("its range is free again at once", async () => {
    for (const name of ["first", "second"]) {
      await skiff.ok("network", "create", "--subnet", `${ten(85)}.0.0/24`, name)
      expect(await addressIn(name)).toMatch(/^10\.1?85\.0\.\d+\/24$/)
      await skiff.ok("network", "rm", name)
    }
  })

  asRoot("its bridge goes, and its range from the rules", async () => {
    await skiff.ok("network", "create", "--subnet", `${ten(85)}.1.0/24`, "ruled")
    const before = own()
    await addressIn("ruled")
    const { table } = kernelNames(skiff.runRoot, false)
    const rules = () => spawnSync("nft", ["list", "table", "inet", table]).stdout.toString()
    expect(rules()).toContain(`${ten(85)}.1.0/24`)
    await skiff.ok("network", "rm", "ruled")
    expect(own()).toHaveLength(before.length - 1)
    expect(rules()).not.toContain(`${ten(85)}.1.0/24`)
  })
})

describe("killed in the middle", () => {
  test("of create: the same create works, and nothing is left of the first", async () => {
    const before = own()
    await crash("network:claimed", "network", "create", "--subnet", `${ten(86)}.0.0/24`, "killed")
    expect((await skiff.run(["network", "exists", "killed"])).code).toBe(1)
    await skiff.ok("network", "create", "--subnet", `${ten(86)}.0.0/24`, "killed")
    expect(await addressIn("killed")).toMatch(/^10\.1?86\.0\./)
    await skiff.ok("network", "rm", "killed")
    expect(own()).toEqual(before)
  })

  asRoot("of create: system prune --external removes its bridge, too", async () => {
    const before = own()
    await crash("network:claimed", "network", "create", "killed")
    expect(own()).toHaveLength(before.length + 1)
    await skiff.ok("system", "prune", "--external", "-f")
    expect(own()).toEqual(before)
  })

  test("of rm: the network is there as before", async () => {
    const before = own()
    await skiff.ok("network", "create", "--subnet", `${ten(86)}.1.0/24`, "killed")
    await addressIn("killed")
    for (const step of ["network:rules-removed", "network:bridge-removed"]) {
      await crash(step, "network", "rm", "killed")
      expect(await addressIn("killed")).toMatch(/^10\.1?86\.1\./)
    }
    await skiff.ok("network", "rm", "killed")
    await skiff.ok("network", "create", "--subnet", `${ten(86)}.0.0/16`, "wider")
    expect(await addressIn("wider")).toMatch(/^10\.1?86\./)
    await skiff.ok("network", "rm", "wider")
    expect(own()).toEqual(before)
  })
})

describe("network prune", () => {
  test("removes those that nobody uses, and --dry-run only tells of them", async () => {
    for (const name of ["kept", "spare", "labelled"])
      await skiff.ok("network", "create", ...(name === "labelled" ? ["--label", "keep"] : []), name)
    await skiff.ok("create", "--name", "keeper", "--network", "kept", "busybox", "true")
    const plan = await skiff.ok("network", "prune", "--dry-run", "--filter", "label!=keep")
    expect(plan).toMatch(/^Would delete Networks:\n/)
    expect(plan.split("\n")).toContain("spare")
    for (const name of ["kept", "labelled", "bridge", "host", "none"]) expect(plan.split("\n")).not.toContain(name)
    expect((await skiff.run(["network", "exists", "spare"])).code).toBe(0)
    expect(await skiff.ok("network", "prune", "-f", "--filter", "label!=keep")).toBe(
      plan.replace("Would delete", "Deleted"),
    )
    expect((await skiff.run(["network", "prune"], { stdin: "n\n" })).code).toBe(1)
    expect(await skiff.ok("network", "prune", "-f", "--filter", "until=1h")).toBe("")
    expect(await skiff.ok("system", "df", "-v")).toMatch(/\nkept +bridge +\S+ +1\n/)
    await skiff.ok("rm", "keeper")
    const podman = await skiff.run(["network", "prune", "-f"], { env: { SKIFF_COMPAT: "podman" } })
    expect(podman.stdout.split("\n").filter(Boolean).toSorted()).toEqual(["kept", "labelled"])
    expect(await skiff.ok("network", "prune", "-f")).toBe("")
  })

  test("system prune removes them with the containers that were on them", async () => {
    await skiff.ok("network", "create", "ended")
    await skiff.ok("run", "--network", "ended", "busybox", "true")
    expect(await skiff.ok("system", "prune", "--dry-run")).toContain("Would delete Networks:\nended\n")
    expect(await skiff.ok("system", "prune", "-f")).toContain("Deleted Networks:\nended\n")
    expect((await skiff.run(["network", "exists", "ended"])).code).toBe(1)
  })
})

test("network update adds and drops name servers, twice as once", async () => {
  await skiff.ok("network", "create", "--dns", "192.0.2.1", "asking")
  const servers = () =>
    skiff
      .ok("network", "inspect", "-f", "{{range .NetworkDNSServers}}{{.}} {{end}}", "asking")
      .then((text) => text.trim())
  expect(await servers()).toBe("192.0.2.1")
  for (let round = 0; round < 2; round++)
    expect(await skiff.ok("network", "update", "--dns-add", "192.0.2.2,192.0.2.3", "asking")).toBe("asking")
  expect(await servers()).toBe("192.0.2.1 192.0.2.2 192.0.2.3")
  for (let round = 0; round < 2; round++) await skiff.ok("network", "update", "--dns-drop", "192.0.2.1", "asking")
  expect(await servers()).toBe("192.0.2.2 192.0.2.3")
  expect((await refused("network", "update", "--dns-add", "nine", "asking")).stderr).toContain("invalid name server")
  expect((await refused("network", "update", "--dns-add", "192.0.2.9", "absent")).code).toBe(1)
})

test("network reload makes anew what was taken away, and a container's port answers again", async () => {
  await skiff.ok("network", "create", "torn")
  const serve = "while :; do echo served | nc -l -p 80; done"
  const id = await skiff.ok(
    "run",
    "-d",
    "--name",
    "server",
    "--network",
    "torn",
    "-p",
    "127.0.0.1::80",
    "busybox",
    "sh",
    "-c",
    serve,
  )
  const port = (await skiff.ok("port", "server", "80")).split(":")[1] ?? ""
  const ask = () => spawnSync("socat", ["-u", `TCP:127.0.0.1:${port}`, "-"]).stdout.toString()
  await eventually(() => expect(ask()).toBe("served\n"))
  const { table } = kernelNames(skiff.runRoot, false)
  // an ordinary user's are in a namespace of his own
  if (!user.rootless) spawnSync("nft", ["flush", "table", "inet", table])
  expect(await skiff.ok("network", "reload", "server")).toBe(id)
  await eventually(() => expect(ask()).toBe("served\n"))
  expect(await skiff.ok("network", "reload", "--all")).toBe(id)
  expect(await refused("network", "reload", "absent")).toMatchObject({ code: 1 })
  await skiff.ok("rm", "-f", "server")
})

test("events tell of networks that come, change and go", async () => {
  const since = new Date(Date.now() - 1).toISOString()
  await skiff.ok("network", "create", "told")
  await skiff.ok("network", "update", "--dns-add", "192.0.2.2", "told")
  await skiff.ok("network", "rm", "told")
  const format = "{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}"
  const until = new Date().toISOString()
  const told = await skiff.ok(
    "events",
    "--since",
    since,
    "--until",
    until,
    "--filter",
    "type=network",
    "--format",
    format,
  )
  expect(told.split("\n")).toEqual(["create told bridge", "update told bridge", "destroy told bridge"])
})

describe("ranges that nobody asked for", () => {
  test("come from the address pools of the settings, in order, as long as there are some", async () => {
    const settings = join(skiff.directory, "skiff.toml")
    const write = (text: string) => writeFileSync(settings, `[network]\naddress_pools = ${text}\n`)
    const create = (name: string) => skiff.run(["network", "create", name], { env: { SKIFF_CONFIG: settings } })
    write(`[{ base = "${ten(89)}.200.0/23", size = 24 }, { base = "${ten(89)}.210.0/25", size = 26 }]`)
    for (const [index, subnet] of [
      `${ten(89)}.200.0/24`,
      `${ten(89)}.201.0/24`,
      `${ten(89)}.210.0/26`,
      `${ten(89)}.210.64/26`,
    ].entries()) {
      expect((await create(`pooled${index}`)).code).toBe(0)
      expect((await inspectNetwork(`pooled${index}`)).IPAM.Config[0]?.Subnet).toBe(subnet)
    }
    expect((await skiff.run(["network", "ls"], { env: { SKIFF_CONFIG: settings } })).code).toBe(0)
    const { code, stderr } = await create("one-more")
    expect(code).toBe(1)
    expect(stderr).toContain(`all of the /24 of ${ten(89)}.200.0/23, the /26 of ${ten(89)}.210.0/25 are in use`)
    for (const [text, message] of [
      [`[{ base = "${ten(89)}.200.0/23", size = 16 }]`, "expected a prefix length from 23 to 30"],
      [`[{ base = "${ten(89)}.200.1/23", size = 24 }]`, "host bits are set"],
      ["[{ size = 24 }]", "expected address_pools = ["],
      ["[]", "no list of pools"],
    ] as const) {
      write(text)
      expect((await create("wrong")).stderr).toContain(message)
    }
  })

  asRoot("are never those of another store that makes its own at the same time", async () => {
    const other = new Skiff()
    try {
      const names = Array.from({ length: 4 }, (_, index) => `beside${index}`)
      await Promise.all(names.flatMap((name) => [skiff, other].map((store) => store.ok("network", "create", name))))
      const format = ["network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}} {{end}}", ...names]
      const subnets = (await Promise.all([skiff, other].map((store) => store.ok(...format)))).flatMap((text) =>
        text.split("\n").map((line) => line.split(" ")[0]),
      )
      expect(new Set(subnets).size).toBe(8)
      const theirs = await other.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", "beside0")
      const { stderr } = await refused("network", "create", "--subnet", theirs, "overlapping")
      expect(stderr).toContain(`a network of the store at ${other.runRoot}`)
      await skiff.ok("network", "rm", ...names)
    } finally {
      await other.close()
    }
  })
})

asRoot(
  "after a boot, networks are there with their options, and their bridges come back with the first container",
  async () => {
    await skiff.ok("network", "create", "--subnet", `${ten(86)}.9.0/24`, "-o", "mtu=1400", "lasting")
    await addressIn("lasting")
    const before = await skiff.ok("network", "inspect", "lasting")
    // what a boot takes: all that is in the kernel, and the volatile directory
    removeNetwork(skiff.runRoot)
    rmSync(skiff.runRoot, { recursive: true })
    expect(await skiff.ok("network", "inspect", "lasting")).toBe(before)
    expect(await addressIn("lasting")).toMatch(/^10\.1?86\.9\.\d+\/24$/)
    expect(await skiff.ok("run", "--rm", "--network", "lasting", "busybox", "cat", "/sys/class/net/eth0/mtu")).toBe(
      "1400",
    )
  },
)
