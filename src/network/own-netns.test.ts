/** Root's containers behind pasta, as the host's own firewall sees them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findProgram } from "../sys/host.ts"
import { networkSuite } from "./network.suite.ts"
import { kernelHasIpv6 } from "../sys/net/has-ipv6.ts"
import { readNetworkSettings } from "./settings.ts"
import { call, openTestHost, type Peer, type TestHost } from "./test-host.ts"

function reasonToSkip(): string | false {
  if (process.getuid?.() !== 0) return "needs root"
  if (!existsSync("/dev/net/tun")) return "no /dev/net/tun"
  return findProgram("pasta") === undefined && "pasta is not installed"
}
const skip = reasonToSkip()

networkSuite(
  "bridge behind pasta, as root",
  async () => {
    const host = await openTestHost({ byPasta: true })
    // pasta takes the host's uplink for its own
    await host.run(
      "sh",
      "-c",
      "ip link add out0 type bridge; ip addr add 198.51.100.1/24 dev out0; ip link set out0 up",
    )
    await host.run("ip", "route", "add", "default", "via", "198.51.100.9")
    return {
      networks: host.networks,
      first: host.networks.get("bridge"),
      second: host.addNetwork("second", "10.77.0.0/24"),
      peer: () => host.peer(),
      call,
      async [Symbol.asyncDispose]() {
        await host.networks.removeAll()
        host[Symbol.dispose]()
      },
    }
  },
  { skip },
)

describe.skipIf(skip !== false)("behind pasta", () => {
  let host: TestHost
  let neighbour: Peer
  const ask = async (): Promise<string> => {
    const script = "(echo hello; sleep 0.5) | timeout 3 socat - TCP:198.51.100.1:8080,connect-timeout=1 2>/dev/null"
    return (await neighbour.run("sh", "-c", `${script} || true`)) || "closed"
  }

  beforeAll(async () => {
    host = await openTestHost({ byPasta: true })
    neighbour = await host.peer()
    await host.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1", "netns", `${neighbour.pid}`)
    await host.run("sh", "-c", "ip addr add 198.51.100.1/24 dev out0; ip link set out0 up")
    await neighbour.run("sh", "-c", "ip link set lo up; ip addr add 198.51.100.2/24 dev out1; ip link set out1 up")
    await host.run("ip", "route", "add", "default", "via", "198.51.100.2")
  })
  afterAll(async () => {
    await host?.networks.removeAll()
    host?.[Symbol.dispose]()
  })

  test("a port is waited for whose former pasta takes its time to end", async () => {
    const network = host.networks.get("bridge")
    const ports = [{ protocol: "tcp", containerPort: 80, hostPort: 8081 }] as const
    const first = await host.peer()
    const endpoint = host.endpoint(first, "ab", { ports })
    const status = await host.networks.setup(network, endpoint)
    const pid = Number(readFileSync(`${host.runRoot}/network/ports-${endpoint.containerId}.pid`, "utf8"))
    process.kill(pid, "SIGSTOP")
    await host.networks.teardown(network, endpoint.containerId, status)
    // longer than ports are waited for whose holder nobody knows
    const later = setTimeout(() => process.kill(pid, "SIGCONT"), 1000)
    try {
      const again = await host.networks.setup(network, host.endpoint(await host.peer(), "ac", { ports }))
      expect(again.ports).toMatchObject(ports)
      await host.networks.teardown(network, "ac".padEnd(64, "0"), again)
    } finally {
      clearTimeout(later)
    }
  })

  test("a rule on input closes a published port, as for every program of the host", async () => {
    const network = host.networks.get("bridge")
    const web = await host.peer()
    const ports = [{ protocol: "tcp", containerPort: 80, hostPort: 8080 }] as const
    const status = await host.networks.setup(network, host.endpoint(web, "aa", { ports }))
    // the caller speaks first: the pasta of Debian 12 loses what a server says and closes at once
    const listen = ["socat", "TCP-LISTEN:80,fork,reuseaddr", "SYSTEM:read word; echo $word $SOCAT_PEERADDR"]
    const server = Bun.spawn(["nsenter", `--net=/proc/${web.pid}/ns/net`, ...listen], {
      stdio: ["ignore", "ignore", "ignore"],
    })
    while ((await web.run("ss", "-Hltn")) === "") await Bun.sleep(5)
    expect(await ask()).toBe("hello 198.51.100.2")
    const rules =
      "table inet admin { chain i { type filter hook input priority 0; policy accept; tcp dport 8080 drop; }; }"
    await host.run("sh", "-c", `echo '${rules}' | nft -f -`)
    expect(await ask()).toBe("closed")
    await host.run("nft", "delete", "table", "inet", "admin")
    expect(await ask()).toBe("hello 198.51.100.2")
    // nothing of it is among the rules of the host
    expect(await host.run("nft", "list", "ruleset")).toBe("")
    await host.networks.teardown(network, "aa".padEnd(64, "0"), status)
    server.kill("SIGKILL")
  })

  test("removeAll() ends pasta and takes the namespace", async () => {
    await host.networks.removeAll()
    expect(await host.run("sh", "-c", `grep -c ${host.runRoot} /proc/self/mountinfo || true`)).toBe("0")
    // it ends when it has seen its signal
    for (let tries = 0; (await host.run("ss", "-Hltn")) !== "" && tries < 200; tries++) await Bun.sleep(10)
    expect(await host.run("ss", "-Hltn")).toBe("")
  })
})

const portOf80 = (hostPort: number, hostAddress?: string) =>
  ({ protocol: "tcp", containerPort: 80, hostPort, ...(hostAddress && { hostAddress }) }) as const

describe.skipIf(skip !== false || !kernelHasIpv6())("IPv6 behind pasta", () => {
  let host: TestHost
  let neighbour: Peer
  const servers: ReturnType<typeof Bun.spawn>[] = []
  // the caller speaks first: the pasta of Debian 12 loses what a server says and closes at once
  const serve = async (peer: Peer, port: number): Promise<void> => {
    const enter = ["nsenter", `--net=/proc/${peer.pid}/ns/net`]
    const listen = ["socat", `TCP6-LISTEN:${port},fork,reuseaddr`, "SYSTEM:read word; echo $word $SOCAT_PEERADDR"]
    servers.push(Bun.spawn([...enter, ...listen], { stdio: ["ignore", "ignore", "ignore"] }))
    while ((await peer.run("ss", "-Hltn", `sport = :${port}`)) === "") await Bun.sleep(5)
  }
  const ask6 = async (address: string, port: number, from?: Peer): Promise<string> => {
    const script = `(echo hello; sleep 0.5) | timeout 3 socat - TCP6:[${address}]:${port},connect-timeout=1 2>/dev/null`
    return (await (from ?? host).run("sh", "-c", `${script} || true`)) || "closed"
  }
  beforeEach(async () => {
    host = await openTestHost({ byPasta: true })
    neighbour = await host.peer()
    await host.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1", "netns", `${neighbour.pid}`)
    await neighbour.run(
      "sh",
      "-c",
      "ip link set lo up; ip addr add 2001:db8:1::2/64 dev out1 nodad; ip link set out1 up",
    )
    await host.run("sh", "-c", "ip addr add 198.51.100.1/24 dev out0; ip addr add 2001:db8:1::1/64 dev out0 nodad")
    await host.run("sh", "-c", "ip link set out0 up; ip route add default via 198.51.100.2")
    await host.run("sh", "-c", "until ping -c1 -W1 2001:db8:1::2 > /dev/null; do :; done")
  })
  afterEach(async () => {
    for (const server of servers.splice(0)) server.kill("SIGKILL")
    await host?.networks.removeAll()
    host?.[Symbol.dispose]()
  })

  test("a host without an uplink of IPv6 is reached by ::1 and by its neighbours", async () => {
    const network = host.networks.get("bridge")
    const web = await host.peer()
    await host.networks.setup(network, host.endpoint(web, "a5", { ports: [portOf80(8079)] }))
    await serve(web, 80)
    expect(await ask6("::1", 8079)).toStartWith("hello")
    expect(await ask6("2001:db8:1::1", 8079, neighbour)).toBe("hello [2001:0db8:0001:0000:0000:0000:0000:0002]")
    await host.networks.teardown(network, "a5".padEnd(64, "0"), undefined)
  })

  test("goes in with the caller's address, each port where it is published alone, and out", async () => {
    await host.run("ip", "-6", "route", "add", "default", "via", "2001:db8:1::2")
    const network = host.networks.get("bridge")
    const [web, plain] = [await host.peer(), await host.peer()]
    const ports = [portOf80(8080), portOf80(8081, "::1"), portOf80(8082, "127.0.0.1"), portOf80(8083, "::")]
    await host.networks.setup(network, host.endpoint(web, "a6", { ports }))
    await serve(web, 80)
    for (const port of [8080, 8083])
      expect(await ask6("2001:db8:1::1", port, neighbour)).toBe("hello [2001:0db8:0001:0000:0000:0000:0000:0002]")
    for (const port of [8080, 8081]) expect(await ask6("::1", port)).toStartWith("hello")
    expect(await ask6("2001:db8:1::1", 8081, neighbour)).toBe("closed")
    expect(await ask6("::1", 8082)).toBe("closed")
    await serve(neighbour, 9000)
    await host.networks.setup(network, host.endpoint(plain, "b6"))
    for (const peer of [web, plain])
      expect(await ask6("2001:db8:1::2", 9000, peer)).toBe("hello [2001:0db8:0001:0000:0000:0000:0000:0001]")
    for (const id of ["a6", "b6"]) await host.networks.teardown(network, id.padEnd(64, "0"), undefined)
  })
})

test.skipIf(skip !== false)(
  "a host without a default route, or with no network at all, still has its containers' own",
  async () => {
    using host = await openTestHost({ byPasta: true })
    const network = host.networks.get("bridge")
    const [one, other, third] = [await host.peer(), await host.peer(), await host.peer()]
    const ports = [{ protocol: "tcp", containerPort: 80, hostPort: 8080 }] as const
    const { address } = await host.networks.setup(network, host.endpoint(one, "aa"))
    const published = host.networks.setup(network, host.endpoint(other, "bb", { ports }))
    const refusal: unknown = await published.then(
      () => undefined,
      (error: unknown) => error,
    )
    // a newer pasta does without an interface of the host
    if (refusal !== undefined) {
      expect(refusal).toMatchObject({
        code: "FailedPrecondition",
        message: expect.stringContaining("no network interface"),
      })
      await host.networks.setup(network, host.endpoint(other, "bb"))
    }
    await one.serve("tcp", 80, "one")
    expect(await call("tcp", address, 80, other)).toStartWith("one")
    // a link to nowhere is enough
    await host.run(
      "sh",
      "-c",
      "ip link add out0 type bridge; ip addr add 198.51.100.1/24 dev out0; ip link set out0 up",
    )
    const otherPorts = [{ protocol: "tcp", containerPort: 80, hostPort: 8081 }] as const
    await host.networks.setup(network, host.endpoint(third, "cc", { ports: otherPorts }))
    await third.serve("tcp", 80, "third")
    expect(await call("tcp", "127.0.0.1", 8081)).toStartWith("third")
    await host.networks.removeAll()
  },
)

test("the settings are one word, and any other is refused with the file's name", async () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-settings-"))
  const path = join(directory, "skiff.toml")
  try {
    expect(await readNetworkSettings(path)).toEqual({ uplink: "kernel" })
    for (const [text, uplink] of [
      ["", "kernel"],
      ["[network]\n", "kernel"],
      ['[network]\nuplink = "pasta" # for ufw\n', "pasta"],
    ] as const) {
      writeFileSync(path, text)
      expect(await readNetworkSettings(path)).toEqual({ uplink })
    }
    for (const text of [
      "[network",
      '[network]\nuplink = "ufw"',
      "[network]\nuplink = 1",
      "[network]\nuplik = 1",
      "x = 1",
    ]) {
      writeFileSync(path, text)
      await expect(readNetworkSettings(path)).rejects.toMatchObject({
        code: "InvalidArgument",
        message: expect.stringContaining(path),
      })
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
