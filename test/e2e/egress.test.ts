/** Where a container may send, by address and by name, and the log of what it could not. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { NameServer, ownLoopback } from "../support/name-server.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const NETWORK = "fenced"
const run = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, "--network", NETWORK, ...flags, "busybox", "sleep", "1000")
const address = async (name: string): Promise<string> =>
  (await skiff.inspect(name)).NetworkSettings.Networks[NETWORK]?.IPAddress ?? ""
const listen = (name: string, port: number) =>
  skiff.ok("exec", "-d", name, "sh", "-c", `while :; do sleep 2 | nc -l -p ${port} > /dev/null; done`)
/** `open`, or what the program heard. */
const connect = async (name: string, host: string, port: number): Promise<string> => {
  const { stderr } = await skiff.run(["exec", name, "sh", "-c", `timeout 2 nc -w 1 ${host} ${port} < /dev/null`])
  return stderr === "" ? "open" : (/refused|bad address|timed out/.exec(stderr)?.[0] ?? stderr)
}
interface Logged {
  Container: string
  Destination: string
  Port: string
  Packets: string
}
const logged = async (...words: string[]): Promise<Logged[]> =>
  (await skiff.ok("network", "log", "--format", "json", ...words))
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Logged)

beforeAll(async () => {
  await skiff.ok("network", "create", NETWORK)
  await run("server")
  await skiff.ok("run", "-d", "--name", "door", "busybox", "sleep", "1000")
  for (const port of [7000, 7001]) for (const name of ["server", "door"]) await listen(name, port)
})
afterEach(async () => {
  const others = (await skiff.ok("ps", "-aq", "--filter", "name=one", "--filter", "name=two"))
    .split("\n")
    .filter(Boolean)
  if (others.length > 0) await skiff.ok("rm", "-f", ...others)
})
describe("--allow-net", () => {
  test("bounds a pod as a whole, and no container of it by itself", async () => {
    const host = await address("server")
    const pod = ["pod", "create", "--name", "podone", "--network", NETWORK]
    await skiff.ok(...pod, "--allow-net", `${host}:7000/tcp`)
    try {
      await skiff.ok("run", "-d", "--name", "one", "--pod", "podone", "busybox", "sleep", "1000")
      await eventually(async () => (await connect("one", host, 7000)) === "open")
      expect(await connect("one", host, 7001)).toBe("refused")
      const { InfraConfig } = JSON.parse(await skiff.ok("pod", "inspect", "podone"))[0] ?? {}
      expect(InfraConfig.NetworkAllow).toEqual([`${host}/32:7000/tcp`])
      const own = await skiff.run(["run", "--rm", "--pod", "podone", "--allow-net", "none", "busybox", "true"])
      expect(own.stderr).toContain("its pod may be limited")
    } finally {
      await skiff.ok("pod", "rm", "-f", "podone")
    }
    const shared = await skiff.run([...pod.slice(0, 4), "--network", "host", "--allow-net", "none"])
    expect([shared.code, shared.stderr]).toEqual([125, expect.stringContaining("has no network of its own")])
  })

  test("bounds what RUN sends, and refuses a step that cannot be bounded", async () => {
    const host = (await skiff.inspect("door")).NetworkSettings.Networks.bridge?.IPAddress ?? ""
    const directory = join(skiff.home, "bounded")
    mkdirSync(directory, { recursive: true })
    const steps = (flag = "") =>
      `FROM busybox\nRUN ${flag} timeout 5 nc -w 1 ${host} 7000 </dev/null; ! timeout 5 nc -w 1 ${host} 7001 </dev/null\n`
    writeFileSync(join(directory, "Dockerfile"), steps())
    const build = (...flags: string[]) => skiff.run(["build", "--no-cache", ...flags, directory])
    expect((await build("--allow-net", "all")).code).not.toBe(0)
    expect(await build("--allow-net", `${host}:7000/tcp`)).toMatchObject({ code: 0 })
    writeFileSync(join(directory, "Dockerfile"), steps("--network=host"))
    const open = await build("--allow", "network.host", "--allow-net", "none")
    expect([open.code, open.stderr]).toEqual([1, expect.stringContaining("cannot be bounded")])
  })

  test("allows an address and port, refuses the rest at once, and is told by inspect", async () => {
    const host = await address("server")
    await run("one", "--allow-net", `${host}:7000/tcp`)
    await eventually(async () => (await connect("one", host, 7000)) === "open")
    expect(await connect("one", host, 7001)).toBe("refused")
    expect((await skiff.inspect("one")).HostConfig.NetworkAllow).toEqual([`${host}/32:7000/tcp`])
    const page = await skiff.ok("explain", "one")
    expect(page).toContain(`${host}/32:7000/tcp`)
    expect(page).toMatch(/nft add element bridge \w+ allowed '\{ "v[\w-]+" \. [\d.]+ \. tcp \. 7000 \}'/)
  })

  test("changes while the container runs, and is lifted by all", async () => {
    const host = await address("server")
    await run("one", "--allow-net", "none")
    expect(await connect("one", host, 7000)).toBe("refused")
    await skiff.ok("update", "--allow-net", `${host}:7001`, "one")
    await eventually(async () => (await connect("one", host, 7001)) === "open")
    expect(await connect("one", host, 7000)).toBe("refused")
    await skiff.ok("update", "--allow-net", "all", "one")
    await eventually(async () => (await connect("one", host, 7000)) === "open")
    expect((await skiff.inspect("one")).HostConfig.NetworkAllow).toBeUndefined()
  })

  test("knows neighbours by their names", async () => {
    await run("one", "--allow-net", "server:7000")
    await eventually(async () => (await connect("one", "server", 7000)) === "open")
    expect(await connect("one", "server", 7001)).toBe("refused")
    // by its address it was not asked for
    await run("two", "--allow-net", "server:7000")
    expect(await connect("two", await address("server"), 7000)).toBe("refused")
  })

  test("is refused together with a network that is not the container's own, and in words that mean nothing", async () => {
    for (const flags of [
      ["--allow-net", "10.0.0.0/40"],
      ["--allow-net", "no such name"],
      ["--allow-net", "a..b"],
      ["--allow-net", "1.2.3.4:0"],
      ["--allow-net", "1.2.3.4:80/icmp"],
      ["--allow-net", '1.2.3.4" }; flush ruleset; {'],
      ["--allow-net", "1.2.3.4", "--network", "host"],
      ["--allow-net", "1.2.3.4", "--network", "none"],
    ]) {
      const { code, stderr } = await skiff.run(["run", "--rm", ...flags, "busybox", "true"])
      expect({ flags, code, ours: stderr.startsWith("skiff: ") }).toEqual({ flags, code: 125, ours: true })
    }
  })
})

const SERVER = ownLoopback(0)

describe("names of the world", () => {
  let names: NameServer
  beforeAll(async () => {
    names = await NameServer.open(SERVER, { "api.example.test": "192.0.2.7", "www.example.test": "192.0.2.8" })
  })
  afterAll(() => names?.[Symbol.asyncDispose]())

  test("are let through as the resolver hears their addresses; others are not even asked for", async () => {
    await skiff.ok("network", "create", "named", "--dns", SERVER)
    try {
      // on its own network: what has the address outside stands on a bridge here
      const flags = ["--network", "named", "--allow-net", "api.example.test:80"]
      await skiff.ok("run", "-d", "--name", "one", ...flags, "busybox", "sleep", "1000")
      const look = async (name: string): Promise<string> =>
        (await skiff.run(["exec", "one", "nslookup", "-type=a", name])).stdout
      expect(await connect("one", "192.0.2.7", 80)).toBe("refused")
      expect(await look("api.example.test")).toContain("192.0.2.7")
      // no longer refused by us: nobody is there
      expect(await connect("one", "192.0.2.7", 80)).not.toBe("refused")
      expect(await connect("one", "192.0.2.7", 81)).toBe("refused")
      expect(await look("www.example.test")).not.toContain("192.0.2.8")
      expect(await look("secret.evil.test")).not.toContain("Address: 192")
      expect(new Set(names.asked.map((name) => name.toLowerCase()))).toEqual(new Set(["api.example.test"]))
    } finally {
      await skiff.run(["rm", "-f", "one"])
      await skiff.run(["network", "rm", "named"])
    }
  })
})

describe("names on the default network", () => {
  let names: NameServer
  beforeAll(async () => {
    names = await NameServer.open(SERVER, { "api.example.test": "192.0.2.7" })
  })
  afterAll(() => names?.[Symbol.asyncDispose]())

  test("are answered to who may send to names alone, and to nobody else", async () => {
    const flags = ["--allow-net", "*.example.test:80", "--dns", SERVER]
    await skiff.ok("run", "-d", "--name", "one", ...flags, "busybox", "sleep", "1000")
    await skiff.ok("run", "-d", "--name", "two", "busybox", "sleep", "1000")
    const { Gateway } = (await skiff.inspect("one")).NetworkSettings
    expect(await skiff.ok("exec", "one", "cat", "/etc/resolv.conf")).toContain(`nameserver ${Gateway}`)
    expect(await skiff.ok("exec", "two", "cat", "/etc/resolv.conf")).not.toContain(Gateway)
    const look = async (who: string, name: string): Promise<string> =>
      (await skiff.run(["exec", who, "nslookup", "-type=a", name, Gateway])).stdout
    expect(await look("one", "api.example.test")).toContain("192.0.2.7")
    expect(await connect("one", "192.0.2.7", 80)).not.toBe("refused")
    expect(await connect("one", "192.0.2.7", 443)).toBe("refused")
    // it has no neighbours by name there, and nobody else has a resolver
    expect(await look("one", "two")).not.toContain("Address: 1")
    expect(await look("two", "api.example.test")).not.toContain("192.0.2.7")
    expect(new Set(names.asked)).toEqual(new Set(["api.example.test"]))
  })

  test("cannot be allowed later to a container that asks elsewhere", async () => {
    await skiff.ok("run", "-d", "--name", "one", "busybox", "sleep", "1000")
    const { code, stderr } = await skiff.run(["update", "--allow-net", "api.example.test", "one"])
    expect([code, stderr]).toEqual([1, expect.stringContaining("--allow-net")])
    expect((await skiff.inspect("one")).HostConfig.NetworkAllow).toBeUndefined()
  })
})

describe("network log", () => {
  test("tells by container what was refused, where to, and how often", async () => {
    const host = await address("server")
    await run("one", "--allow-net", `${host}:7000`)
    await run("two", "--net-refuse", `${host}:7001`)
    await connect("one", host, 7001)
    await connect("one", "203.0.113.9", 443)
    await connect("two", host, 7001)
    const own = await logged("one")
    expect(own.map(({ Container, Destination, Port }) => [Container, Destination, Port])).toEqual(
      expect.arrayContaining([
        ["one", host, "7001/tcp"],
        ["one", "203.0.113.9", "443/tcp"],
      ]),
    )
    expect(own.every(({ Packets }) => Number(Packets) > 0)).toBe(true)
    expect((await logged("two")).map(({ Destination }) => Destination)).toContain(host)
    expect((await logged(NETWORK)).length).toBeGreaterThanOrEqual(3)
    expect(await logged("--since", "2001-01-01", "one")).toHaveLength(own.length)
    expect((await skiff.run(["network", "log", "nobody"])).code).toBe(1)
  })
})

/** By the log of container `one`: what the networks behind this host answer to such addresses is theirs to say. */
const refusals = async (host: string, port: number): Promise<number> =>
  (await logged("one"))
    .filter((one) => one.Destination === host && one.Port === `${port}/tcp`)
    .reduce((sum, { Packets }) => sum + Number(Packets), 0)
const isRefused = async (host: string, port: number): Promise<boolean> => {
  const before = await refusals(host, port)
  await connect("one", host, port)
  return (await refusals(host, port)) > before
}

const document = async (): Promise<unknown> => JSON.parse(await skiff.ok("network", "inspect", "bound"))[0]
const make = (...flags: string[]) => skiff.ok("network", "create", "bound", ...flags)

/** Of root's host. */
const rates = (): string[] =>
  spawnSync("tc", ["qdisc"])
    .stdout.toString()
    .match(/rate \S+/g) ?? []

describe("network create", () => {
  afterEach(async () => {
    await skiff.run(["rm", "-f", "one"])
    await skiff.run(["network", "rm", "bound"])
  })

  test("--allow-net bounds all that are on it, together with their own", async () => {
    await make("--allow-net", "192.0.2.0/24:80-81")
    await skiff.ok("run", "-d", "--name", "one", "--network", "bound", "--allow-net", ":81", "busybox", "sleep", "1000")
    for (const [host, port, isOpen] of [
      ["192.0.2.1", 81, true],
      ["192.0.2.1", 80, false],
      ["203.0.113.1", 81, false],
    ] as const)
      expect([host, port, await isRefused(host, port)]).toEqual([host, port, !isOpen])
    await skiff.ok("network", "update", "--allow-net", "203.0.113.0/24", "bound")
    expect(await isRefused("192.0.2.1", 81)).toBe(true)
    expect(await isRefused("203.0.113.1", 81)).toBe(false)
    await skiff.ok("network", "update", "--allow-net", "all", "bound")
    expect(await isRefused("192.0.2.1", 81)).toBe(false)
    expect(((await document()) as { AllowNet?: string[] }).AllowNet).toBeUndefined()
    await skiff.ok("network", "update", "--allow-net", "192.0.2.0/24:80-81", "bound")
    expect(await document()).toMatchObject({ AllowNet: ["192.0.2.0/24:80-81/tcp", "192.0.2.0/24:80-81/udp"] })
  })

  test("--rate bounds what goes out and comes in from outside", async () => {
    await make("--rate", "in=20mbit,out=5mbit")
    expect(await document()).toMatchObject({
      Rate: { receiveBitsPerSecond: 20_000_000, sendBitsPerSecond: 5_000_000 },
    })
    await skiff.ok("run", "-d", "--name", "one", "--network", "bound", "busybox", "sleep", "1000")
    if (user.rootless) return
    expect(rates().toSorted()).toEqual(["rate 20Mbit", "rate 5Mbit"])
    await skiff.ok("network", "update", "--rate", "0", "bound")
    expect(rates()).toEqual([])
  })
})
