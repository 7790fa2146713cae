/** The bridge on a host of the test's own: what `ip` and `nft` say of it, and what real sockets can reach. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import { needPrograms } from "../../test/support/programs.ts"
import { eventually } from "../../test/support/wait.ts"
import { findProgram } from "../sys/host.ts"
import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { networkSuite } from "./network.suite.ts"
import { call, openStoreBeside, openTestHost, udpScript, type Peer, type TestHost } from "./test-host.ts"
import { NETWORKS } from "./nftables.ts"
import type { EndpointStatus, Network } from "./network.ts"

const skip = process.getuid?.() === 0 ? false : "needs root"
if (skip !== false) console.log(`bridge tests skipped: ${skip}`)
else needPrograms("bridge", "ip", "nft", "nsenter", "ping", "socat", "ss", "timeout", "unshare")

/** Whether a program of the host could listen on port 8500. */
function canListen(hostname = "0.0.0.0"): boolean {
  try {
    Bun.listen({ hostname, port: 8500, socket: { data() {} } }).stop(true)
    return true
  } catch {
    return false
  }
}

const hex = (text: string): number[] => [...Buffer.from(text, "hex")]

networkSuite(
  "bridge",
  async () => {
    const host = await openTestHost()
    return {
      networks: host.networks,
      first: host.networks.get("bridge"),
      second: host.addNetwork("second", "10.77.0.0/24"),
      peer: () => host.peer(),
      call,
      async [Symbol.asyncDispose]() {
        host[Symbol.dispose]()
      },
    }
  },
  { skip },
)

describe.skipIf(skip !== false)("bridge network", () => {
  let host: TestHost
  let network: Network
  let web: Peer
  let other: Peer
  let neighbour: Peer
  let webStatus: EndpointStatus
  let otherStatus: EndpointStatus
  const table = (): string => `skiff_${network.bridge.slice(2, -1)}`
  const json = async (...argv: string[]): Promise<Record<string, unknown>[]> =>
    JSON.parse((await host.run(...argv)) || "[]") as Record<string, unknown>[]

  const sources = async (): Promise<number> =>
    (await host.run("nft", "list", "set", "bridge", table(), "sources")).split('"v').length - 1
  const file = (name: string): string => join(host.runRoot, name)
  const ids = (): string[] =>
    host.db.all<{ id: string }>("SELECT container_id AS id FROM network_endpoints").map(({ id }) => id.slice(0, 2))
  const goOn = (): void => writeFileSync(file("go"), "")
  const listeners = async (): Promise<string> => await host.run("ss", "-Hlntu", "sport = :8500")

  beforeAll(async () => {
    host = await openTestHost()
    // a link to a neighbour, so that there is an outside: 198.51.100.1 is the host, .2 the neighbour
    neighbour = await host.peer()
    await host.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1", "netns", `${neighbour.pid}`)
    await host.run("sh", "-c", "ip addr add 198.51.100.1/24 dev out0; ip link set out0 up mtu 1400")
    await neighbour.run("sh", "-c", "ip link set lo up; ip addr add 198.51.100.2/24 dev out1; ip link set out1 up")
    await host.run("ip", "route", "add", "default", "via", "198.51.100.2")
    await neighbour.run("ip", "route", "add", "172.17.0.0/16", "via", "198.51.100.1")
    network = host.networks.get("bridge")
    web = await host.peer()
    other = await host.peer()
    webStatus = await host.networks.setup(
      network,
      host.endpoint(web, "aa", {
        ports: [
          { protocol: "tcp", containerPort: 80, hostPort: 8080 },
          { protocol: "udp", containerPort: 53, hostPort: 5353 },
          { protocol: "tcp", containerPort: 80, hostPort: 8081, hostAddress: "127.0.0.1" },
          { protocol: "tcp", containerPort: 80, hostPort: 8082, hostAddress: "198.51.100.1" },
        ],
      }),
    )
    otherStatus = await host.networks.setup(network, host.endpoint(other, "bb"))
    await Promise.all([web.serve("tcp", 80, "web"), web.serve("udp", 53, "dns"), other.serve("tcp", 81, "other")])
    await Promise.all([neighbour.serve("tcp", 9000, "outside"), web.serve("tcp", 22, "private")])
  })
  afterAll(() => host?.[Symbol.dispose]())

  test("setup() gives address, MAC address and route inside, and the default route's MTU", async () => {
    expect(webStatus).toMatchObject({ address: "172.17.0.2", prefixLength: 16, macAddress: "02:42:ac:11:00:02" })
    const [link] = JSON.parse(await web.run("ip", "-j", "addr", "show", "eth0")) as Record<string, unknown>[]
    expect(link).toMatchObject({ ifname: "eth0", address: "02:42:ac:11:00:02", mtu: 1400, operstate: "UP" })
    expect(await web.run("ip", "route")).toContain("default via 172.17.0.1 dev eth0")
  })

  test("the bridge says whose it is, and its ports send back what is for themselves", async () => {
    const [bridge] = await json("ip", "-j", "link", "show", network.bridge)
    expect(bridge).toMatchObject({ ifalias: `skiff ${host.runRoot}`, address: "02:42:ac:11:00:01", mtu: 1400 })
    expect(await host.run("bridge", "-d", "link")).toContain("hairpin on")
  })

  test.each([
    ["the host by 127.0.0.1", undefined, "tcp", "127.0.0.1", 8080, "web 172.17.0.1"],
    ["the host by its own address", undefined, "tcp", "198.51.100.1", 8080, "web 198.51.100.1"],
    ["a neighbour, whose address is kept", "neighbour", "tcp", "198.51.100.1", 8080, "web 198.51.100.2"],
    ["another container by the gateway", "other", "tcp", "172.17.0.1", 8080, "web 172.17.0.1"],
    ["another container by the host's address", "other", "tcp", "198.51.100.1", 8080, "web 172.17.0.1"],
    ["the container itself", "web", "tcp", "198.51.100.1", 8080, "web 172.17.0.1"],
    ["the host by UDP", undefined, "udp", "127.0.0.1", 5353, "dns 172.17.0.1"],
    ["a neighbour by UDP", "neighbour", "udp", "198.51.100.1", 5353, "dns 198.51.100.2"],
    ["the host, of a port on 127.0.0.1 only", undefined, "tcp", "127.0.0.1", 8081, "web 172.17.0.1"],
    ["a neighbour, of a port on 127.0.0.1 only", "neighbour", "tcp", "198.51.100.1", 8081, "closed"],
    ["a neighbour, of a port on one address", "neighbour", "tcp", "198.51.100.1", 8082, "web 198.51.100.2"],
    ["the host, of a port on another address", undefined, "tcp", "127.0.0.1", 8082, "closed"],
    ["a neighbour, of a port not published", "neighbour", "tcp", "198.51.100.1", 22, "closed"],
    ["a neighbour, by the container's address", "neighbour", "tcp", "172.17.0.2", 80, "closed"],
    ["another container directly", "other", "tcp", "172.17.0.2", 80, "web 172.17.0.3"],
    ["the uplink, with the host's address", "web", "tcp", "198.51.100.2", 9000, "outside 198.51.100.1"],
  ] as const)("%s", async (_, from, protocol, address, port, answer) => {
    const peers = { neighbour, other, web }
    expect(await call(protocol, address, port, from === undefined ? undefined : peers[from])).toBe(answer)
  })

  test("a neighbour's packet to 127.0.0.1 is dropped (CVE-2020-8558)", async () => {
    // a neighbour that routes 127.0.0.1 to us: only the guard stands between
    await neighbour.run(
      "sh",
      "-c",
      "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via 198.51.100.1",
    )
    expect(await call("tcp", "127.0.0.1", 8081, neighbour)).toBe("closed")
    await neighbour.run("sh", "-c", "ip route del 127.0.0.1/32; ip addr add 127.0.0.1/8 dev lo")
  })

  test("the host's own forward policy stays above the published ports", async () => {
    const text = "table inet admin { chain f { type filter hook forward priority 0; policy drop; }; }"
    await host.run("sh", "-c", `echo '${text}' | nft -f -`)
    expect(await call("tcp", "198.51.100.1", 8080, neighbour)).toBe("closed")
    await host.run("nft", "delete", "table", "inet", "admin")
    expect(await call("tcp", "198.51.100.1", 8080, neighbour)).toBe("web 198.51.100.2")
  })

  test("setup() restores table and elements after the administrator flushed all rules", async () => {
    await host.run("nft", "flush", "ruleset")
    expect(await call("tcp", "198.51.100.1", 8080, neighbour)).toBe("closed")
    const late = await host.peer()
    await host.networks.setup(network, host.endpoint(late, "cc"))
    expect(await call("tcp", "198.51.100.1", 8080, neighbour)).toBe("web 198.51.100.2")
    expect(await call("tcp", "198.51.100.1", 8081, neighbour)).toBe("closed")
    await host.networks.teardown(network, "cc".padEnd(64, "0"), undefined)
  })

  test("tables whose writer was killed before it marked them are written anew", async () => {
    await host.run("nft", "flush", "set", "inet", table(), NETWORKS)
    await host.run("nft", "flush", "map", "inet", table(), "portmap")
    await host.networks.setup(network, host.endpoint(await host.peer(), "d0"))
    expect(await host.run("nft", "list", "set", "inet", table(), NETWORKS)).toContain(network.bridge)
    expect(await call("tcp", "198.51.100.1", 8080, neighbour)).toBe("web 198.51.100.2")
    await host.networks.teardown(network, "d0".padEnd(64, "0"), undefined)
  })

  describe("while nft writes the tables", () => {
    const path = process.env.PATH ?? ""
    /** Begins to write them, and waits for `goOn`. */
    const begin = async (text: string): Promise<{ written: Promise<unknown> }> => {
      writeFileSync(
        file("nft"),
        `#!/bin/sh\n: > ${file("begun")}\nwhile [ ! -e ${file("go")} ]; do sleep 0.02; done\nexec ${findProgram("nft", path)} "$@"\n`,
        { mode: 0o755 },
      )
      await host.run("nft", "flush", "ruleset")
      process.env.PATH = `${host.runRoot}:${path}`
      const written = host.networks.setup(network, host.endpoint(await host.peer(), text))
      await eventually(() => existsSync(file("begun")))
      return { written }
    }
    afterEach(async () => {
      process.env.PATH = path
      for (const name of ["nft", "begun", "go"]) rmSync(file(name), { force: true })
      for (const text of ["d1", "d2", "d3"]) await host.networks.teardown(network, text.padEnd(64, "0"), undefined)
    })

    test("others join and leave, and the tables say so in the end; no file stays", async () => {
      await host.networks.setup(network, host.endpoint(await host.peer(), "d3"))
      const before = await sources()
      const { written } = await begin("d1")
      const late = host.networks.setup(network, host.endpoint(await host.peer(), "d2"))
      await eventually(() => ids().includes("d2"))
      await host.networks.teardown(network, "d3".padEnd(64, "0"), undefined)
      goOn()
      await Promise.all([written, late])
      process.env.PATH = path
      expect(await sources()).toBe(before + 1)
      expect(await call("tcp", "198.51.100.1", 8080, neighbour)).toBe("web 198.51.100.2")
      expect(readdirSync(host.runRoot).filter((name) => name.startsWith("firewall"))).toEqual([])
    })

    test("who waits for it may be cancelled, and has nothing then", async () => {
      const { written } = await begin("d1")
      const stop = new AbortController()
      const peer = await host.peer()
      const late = host.networks.setup(network, host.endpoint(peer, "d2"), { signal: stop.signal })
      late.catch(() => {})
      await eventually(() => ids().includes("d2"))
      stop.abort()
      await expect(late).rejects.toMatchObject({ code: "Cancelled" })
      expect(ids()).not.toContain("d2")
      goOn()
      await written
      await host.networks.setup(network, host.endpoint(peer, "d2"))
    })
  })

  test("sweep() restores a deleted bridge with its ports, and the table", async () => {
    await host.run("ip", "link", "delete", network.bridge)
    await host.run("nft", "delete", "table", "inet", table())
    await host.networks.sweep(new Set(["aa", "bb"].map((id) => id.padEnd(64, "0"))))
    // the first question for the container's hardware address may be asked before the port carries, and again after 1 s
    await web.run("ping", "-c1", "-W2", "172.17.0.1")
    await Bun.sleep(300)
    expect(await call("tcp", "198.51.100.1", 8080, neighbour)).toBe("web 198.51.100.2")
    expect(await call("tcp", "172.17.0.2", 80, other)).toBe(`web ${otherStatus.address}`)
  })

  test("sweep() takes back what dead containers had, and nothing of the living", async () => {
    const doomed = await host.peer()
    const ports = [{ protocol: "tcp", containerPort: 80, hostPort: 8090 }] as const
    await host.networks.setup(network, host.endpoint(doomed, "dd", { ports }))
    doomed[Symbol.dispose]()
    await Bun.sleep(50)
    await host.networks.sweep(new Set())
    const rows = host.db.all<{ id: string }>("SELECT container_id AS id FROM network_endpoints")
    expect(rows.map(({ id }) => id.slice(0, 2)).toSorted()).toEqual(["aa", "bb"])
    const map = await host.run("nft", "list", "map", "inet", table(), "portmap")
    expect(map).toContain("8080")
    expect(map).not.toContain("8090")
  })

  test("a port of a dead container may be taken at once", async () => {
    const ports = [{ protocol: "tcp", containerPort: 80, hostPort: 8091 }] as const
    const first = await host.peer()
    await host.networks.setup(network, host.endpoint(first, "ee", { ports }))
    first[Symbol.dispose]()
    await Bun.sleep(50)
    const second = await host.peer()
    const status = await host.networks.setup(network, host.endpoint(second, "ef", { ports }))
    await second.serve("tcp", 80, "second")
    expect(await call("tcp", "127.0.0.1", 8091)).toStartWith("second")
    expect(status.address).not.toBe("172.17.0.2")
    await host.networks.teardown(network, "ef".padEnd(64, "0"), status)
    expect(await call("tcp", "127.0.0.1", 8091)).toBe("closed")
  })

  test("a UDP caller that never stops talking is led to the new container", async () => {
    const ports = [{ protocol: "udp", containerPort: 53, hostPort: 8053 }] as const
    const ask = udpScript("UDP:198.51.100.1:8053,sourceport=4053")
    for (const id of ["e1", "e2"]) {
      const peer = await host.peer()
      const status = await host.networks.setup(network, host.endpoint(peer, id, { ports }))
      await peer.serve("udp", 53, id)
      expect(await neighbour.run("sh", "-c", ask)).toBe(`${id} 198.51.100.2`)
      await host.networks.teardown(network, id.padEnd(64, "0"), status)
    }
  })

  test("a taken port is refused, naming the container or the host's listener, and leaves nothing", async () => {
    const late = await host.peer()
    const setup = (hostPort: number, hostAddress?: string): Promise<EndpointStatus> =>
      host.networks.setup(
        network,
        host.endpoint(late, "ab", { ports: [{ protocol: "tcp", containerPort: 1, hostPort, hostAddress }] }),
      )
    await expect(setup(8080)).rejects.toMatchObject({
      code: "AlreadyExists",
      data: { takenBy: expect.stringMatching(/^aa0000000000/) },
    })
    await expect(setup(8080, "127.0.0.1")).rejects.toMatchObject({ code: "AlreadyExists" })
    await expect(setup(8081)).rejects.toMatchObject({ code: "AlreadyExists" })
    const listener = Bun.listen({ hostname: "0.0.0.0", port: 8099, socket: { data() {} } })
    await expect(setup(8099)).rejects.toMatchObject({
      code: "AlreadyExists",
      message: expect.stringContaining("address already in use"),
    })
    listener.stop(true)
    await expect(setup(8098, "203.0.113.9")).rejects.toMatchObject({ code: "InvalidArgument" })
    expect(host.db.all("SELECT 1 FROM network_endpoints WHERE container_id LIKE 'ab%'")).toEqual([])
  })

  test("hostPort 0 gives a free port, beside a range of 100 UDP ports", async () => {
    const late = await host.peer()
    const range = Array.from({ length: 100 }, (_, index) => ({
      protocol: "udp" as const,
      containerPort: 7000 + index,
      hostPort: 7000 + index,
    }))
    const ports = [...range, { protocol: "tcp" as const, containerPort: 80, hostPort: 0 }]
    const status = await host.networks.setup(network, host.endpoint(late, "ac", { ports }))
    expect(status.ports.at(-1)?.hostPort).toBeGreaterThan(1023)
    await late.serve("udp", 7099, "last")
    expect(await call("udp", "127.0.0.1", 7099)).toStartWith("last")
    await host.networks.teardown(network, "ac".padEnd(64, "0"), status)
  })

  test("2,000 ports of one container are published and taken back", async () => {
    const late = await host.peer()
    const ports = Array.from({ length: 2000 }, (_, index) => ({
      protocol: "tcp" as const,
      containerPort: 80,
      hostPort: 20_000 + index,
    }))
    const count = async (): Promise<number> => {
      const { nftables } = JSON.parse(await host.run("nft", "-j", "list", "map", "inet", table(), "portmap")) as {
        nftables: { map?: { elem?: unknown[] } }[]
      }
      return nftables.find(({ map }) => map !== undefined)?.map?.elem?.length ?? 0
    }
    const before = await count()
    const status = await host.networks.setup(network, host.endpoint(late, "ad", { ports }))
    expect(await count()).toBe(before + 2000)
    await late.serve("tcp", 80, "many")
    expect(await call("tcp", "198.51.100.1", 21_999, neighbour)).toStartWith("many")
    await host.networks.teardown(network, "ad".padEnd(64, "0"), status)
    expect(await count()).toBe(before)
  })

  test("a container sends with its own addresses alone, and cannot speak for its neighbours or the gateway", async () => {
    const gateway = async (): Promise<string | undefined> =>
      /lladdr (\S+)/.exec(await other.run("ip", "neigh", "show", "172.17.0.1"))?.[1]
    await other.run("ping", "-c1", "-W2", "172.17.0.1")
    expect(await gateway()).toBe("02:42:ac:11:00:01")
    // else it would believe nothing new for a second (arp(7))
    await other.run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/neigh/eth0/locktime")
    // an answer nobody asked for, from `web`, that it has the gateway's address
    const frame = [...hex("0242ac110003"), ...hex("0242ac110002"), ...hex("0806"), ...hex("0001080006040002")]
    const claim = [...hex("0242ac110002"), 172, 17, 0, 1, ...hex("0242ac110003"), 172, 17, 0, 3]
    const octal = [...frame, ...claim].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")
    for (let times = 0; times < 3; times++) await web.run("sh", "-c", `printf '${octal}' | socat -u - INTERFACE:eth0`)
    expect(await gateway()).toBe("02:42:ac:11:00:01")
    // another's address, and another's hardware address
    expect(await web.run("sh", "-c", "ping -c1 -W2 172.17.0.1 >/dev/null && echo answered")).toBe("answered")
    await web.run("ip", "address", "add", "172.17.0.99/16", "dev", "eth0")
    const spoofed = "ping -c1 -W1 -I 172.17.0.99 172.17.0.1 >/dev/null || echo silent"
    expect(await web.run("sh", "-c", spoofed)).toBe("silent")
    await web.run("ip", "address", "del", "172.17.0.99/16", "dev", "eth0")
    await web.run("ip", "link", "set", "eth0", "address", "02:42:ac:11:00:63")
    expect(await web.run("sh", "-c", "ping -c1 -W1 172.17.0.1 >/dev/null || echo silent")).toBe("silent")
    await web.run("ip", "link", "set", "eth0", "address", "02:42:ac:11:00:02")
    expect(await web.run("sh", "-c", "ping -c1 -W2 172.17.0.1 >/dev/null && echo answered")).toBe("answered")
  })

  test("the guard holds no more than the living, and one ended container", async () => {
    const before = await sources()
    for (let times = 0; times < 5; times++) {
      const peer = await host.peer()
      await host.networks.setup(network, host.endpoint(peer, "a9"))
      await host.networks.teardown(network, "a9".padEnd(64, "0"), undefined)
      peer[Symbol.dispose]()
    }
    expect(await sources()).toBeLessThanOrEqual(before + 1)
  })

  describe("a reserved port", () => {
    const id = "b0".padEnd(64, "0")
    const ports = [
      { protocol: "tcp", containerPort: 80, hostPort: 8500 },
      { protocol: "udp", containerPort: 53, hostPort: 8500 },
    ] as const
    let peer: Peer
    let monitor: ReturnType<typeof Bun.spawn>

    test("is the container's before it runs, and stays with who inherits the socket", async () => {
      peer = await host.peer()
      {
        using reservation = await host.networks.reserve(network, { containerId: id, ports })
        expect(reservation.ports).toEqual([...ports])
        expect(canListen()).toBe(false)
        // taken over by its name, as the real one
        const conmon = join(host.runRoot, "conmon")
        copyFileSync("/bin/sleep", conmon)
        monitor = Bun.spawn([conmon, "300"], { stdio: ["ignore", "ignore", "ignore", ...reservation.sockets] })
        await host.networks.setup(network, host.endpoint(peer, "b0", { ports, reservation }))
      }
      const [, hostInterface] = /%(v\S+):8500/.exec(await listeners()) ?? []
      expect((await listeners()).match(/8500/g)).toHaveLength(4)
      const [link] = await json("ip", "-j", "link", "show", hostInterface ?? "")
      expect(link).toMatchObject({ ifalias: `container b00000000000 of skiff ${host.runRoot}` })
      for (const hostname of ["0.0.0.0", "127.0.0.1", "198.51.100.1", "::"]) expect(canListen(hostname)).toBe(false)
      await peer.serve("tcp", 80, "held")
      expect(await call("tcp", "198.51.100.1", 8500, neighbour)).toBe("held 198.51.100.2")
      expect(await call("tcp", "127.0.0.1", 8500)).toStartWith("held")
    })

    test("is refused to another store by the container's name", async () => {
      using second = openStoreBeside()
      const taken = second.networks.setup(second.networks.get("bridge"), {
        ...host.endpoint(other, "b1"),
        ports: [{ protocol: "tcp", containerPort: 80, hostPort: 8500, hostAddress: "127.0.0.1" }],
      })
      await expect(taken).rejects.toMatchObject({
        code: "AlreadyExists",
        message: expect.stringContaining(`by container b00000000000 of the store in ${host.runRoot}`),
      })
    })

    test("refuses connections at once while the rules are missing", async () => {
      await host.run("nft", "flush", "ruleset")
      expect(await host.run("sh", "-c", "socat -u TCP:127.0.0.1:8500,connect-timeout=5 - 2>&1 || true")).toContain(
        "refused",
      )
      await host.networks.sweep(new Set(["aa", "bb", "b0"].map((text) => text.padEnd(64, "0"))))
      expect(await call("tcp", "127.0.0.1", 8500)).toStartWith("held")
    })

    test("is refused to a program that would share it (SO_REUSEPORT), as the same user too", () => {
      expect(() => Bun.serve({ port: 8500, reusePort: true, fetch: () => new Response() })).toThrow()
    })

    test("is free for the next container though the monitor of the last still holds it, and for nobody else", async () => {
      await host.networks.teardown(network, id, undefined)
      peer[Symbol.dispose]()
      expect(canListen()).toBe(false)
      using again = await host.networks.reserve(network, { containerId: "b2".padEnd(64, "0"), ports })
      expect(again.sockets).toHaveLength(4)
      monitor.kill("SIGKILL")
      await monitor.exited
      expect(canListen()).toBe(false)
      await host.networks.teardown(network, "b2".padEnd(64, "0"), undefined)
      again[Symbol.dispose]()
      expect(canListen()).toBe(true)
    })

    test("of a range of 100 is held like one", async () => {
      const range = Array.from({ length: 100 }, (_, index) => ({
        protocol: "tcp" as const,
        containerPort: 7000 + index,
        hostPort: 7000 + index,
      }))
      using reservation = await host.networks.reserve(network, { containerId: id, ports: range })
      expect(reservation.sockets).toHaveLength(200)
      const held = Bun.spawnSync(["ls", "/proc/self/fd"], {
        stdio: ["ignore", "pipe", "ignore", ...reservation.sockets],
      })
      expect(held.stdout.toString().trim().split("\n").length).toBeGreaterThanOrEqual(203)
      await host.networks.teardown(network, id, undefined)
    })
  })

  test("--ip and --mac-address are used, and refused when they cannot be", async () => {
    const late = await host.peer()
    const setup = (extra: { address?: string; macAddress?: string }): Promise<EndpointStatus> =>
      host.networks.setup(network, host.endpoint(late, "ae", extra))
    await expect(setup({ address: "172.17.0.2" })).rejects.toMatchObject({ code: "AlreadyExists" })
    for (const address of ["172.17.0.0", "172.17.255.255", "172.17.0.1", "10.0.0.5", "x"])
      await expect(setup({ address })).rejects.toMatchObject({ code: "InvalidArgument" })
    await expect(setup({ macAddress: "01:00:00:00:00:01" })).rejects.toMatchObject({ code: "InvalidArgument" })
    const status = await setup({ address: "172.17.9.9", macAddress: "02:00:00:00:00:07" })
    expect(status).toMatchObject({ address: "172.17.9.9", macAddress: "02:00:00:00:00:07" })
    expect(await late.run("ip", "-br", "link", "show", "eth0")).toContain("02:00:00:00:00:07")
    await host.networks.teardown(network, "ae".padEnd(64, "0"), status)
  })

  test("setup() refuses a process that has no namespace of its own", async () => {
    const endpoint = { ...host.endpoint(web, "af"), netns: "/proc/self/ns/net" }
    await expect(host.networks.setup(network, endpoint)).rejects.toMatchObject({ code: "FailedPrecondition" })
  })

  test("teardown() may be repeated, and does nothing for a container it does not know", async () => {
    await host.networks.teardown(network, "f".repeat(64), undefined)
    await host.networks.teardown(network, "f".repeat(64), undefined)
  })
})
