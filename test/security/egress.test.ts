/** A container that may send to some places alone, and tries the others by every way that it has. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { NameServer, ownLoopback } from "../support/name-server.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const SERVER = ownLoopback(0)
const skiff = openStore()
const sh = async (name: string, words: string): Promise<string> =>
  (await skiff.run(["exec", name, "sh", "-c", words])).stdout.trim()

/** What `one` hears of an address that nobody has. */
const refused = (port: number): Promise<string> =>
  sh("one", `echo | timeout 2 nc -w 1 192.0.2.7 ${port} 2>&1 | grep -o refused`)

describe("a confined container with every right on its own network", () => {
  let names: NameServer
  let target: string
  beforeAll(async () => {
    names = await NameServer.open(SERVER, { "api.example.test": "192.0.2.7", "evil.test": "192.0.2.66" })
    await skiff.ok("network", "create", "fenced", "--dns", SERVER)
    const serve = "while :; do echo reached | nc -l -p 80; done"
    await skiff.ok("run", "-d", "--name", "target", "--network", "fenced", "busybox", "sh", "-c", serve)
    target = (await skiff.inspect("target")).NetworkSettings.Networks.fenced?.IPAddress ?? ""
    const rights = ["--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW"]
    const rules = ["--allow-net", "api.example.test:443", "--allow-net", "198.51.100.0/24:443/tcp"]
    await skiff.ok("run", "-d", "--name", "one", "--network", "fenced", ...rights, ...rules, "busybox", "sleep", "1000")
    await skiff.ok("run", "-d", "--name", "free", "--network", "fenced", "busybox", "sleep", "1000")
    await eventually(async () => (await reads("free")) === "reached")
  })
  afterAll(async () => {
    await names?.[Symbol.asyncDispose]()
  })
  const reads = (name: string, address = target, flags = ""): Promise<string> =>
    sh(name, `for try in 1 2; do timeout 2 nc -w 1 ${flags} ${address} 80 < /dev/null && break; done 2>/dev/null`)

  test("reaches no neighbour with another address, another hardware address, or by another way", async () => {
    expect(await reads("one")).toBe("")
    const free = (await skiff.inspect("free")).NetworkSettings.Networks.fenced?.IPAddress ?? ""
    const { Gateway = "" } = (await skiff.inspect("one")).NetworkSettings.Networks.fenced ?? {}
    // as the neighbour who may
    await sh("one", `ip addr add ${free}/32 dev eth0`)
    expect(await reads("one", target, `-s ${free}`)).toBe("")
    await sh("one", `ip addr del ${free}/32 dev eth0`)
    // by way of the host, which routes between neighbours
    await sh("one", `ip route add ${target}/32 via ${Gateway}`)
    expect(await reads("one")).toBe("")
    await sh("one", `ip route del ${target}/32`)
    const hardware = await sh("target", "cat /sys/class/net/eth0/address")
    await sh("one", `ip neigh replace ${target} lladdr ${hardware} dev eth0`)
    expect(await reads("one")).toBe("")
  })

  test("is answered for no name but those that it may reach, however it asks", async () => {
    const { Gateway = "" } = (await skiff.inspect("one")).NetworkSettings.Networks.fenced ?? {}
    for (const name of ["evil.test", "EVIL.test.", "c2VjcmV0.evil.test", "x.api.example.test", "example.test"])
      for (const server of ["", Gateway, SERVER, "203.0.113.53"])
        expect(await sh("one", `timeout 2 nslookup ${name} ${server}`)).not.toContain("192.0.2.66")
    expect(names.asked.filter((name) => !/^api\.example\.test$/i.test(name))).toEqual([])
    expect(await sh("one", "nslookup -type=a API.example.TEST")).toContain("192.0.2.7")
  })

  test("that asked for an allowed name reaches its address at the allowed port alone", async () => {
    expect([await refused(443), await refused(80)]).toEqual(["", "refused"])
  })

  test("keeps what names let through when the rules are flushed", async () => {
    expect(await refused(443)).toBe("")
    if (user.rootless) return
    spawnSync("nft", ["flush", "ruleset"])
    await skiff.ok("ps")
    expect(await refused(443)).toBe("")
    expect(await reads("one")).toBe("")
  })

  test("that knocks at two hundred doors is in the log with each, and nobody else is held up", async () => {
    await sh(
      "one",
      "for a in $(seq 1 40); do for p in $(seq 1 5); do echo | nc -w 1 203.0.113.$a $p & done; wait; done 2>/dev/null",
    )
    const lines = (await skiff.ok("network", "log", "--format", "{{.Destination}}", "one")).split("\n")
    expect(lines.filter((line) => line.startsWith("203.0.113.")).length).toBeGreaterThan(190)
    expect(await reads("free")).toBe("reached")
  })
})
