/** Root's containers behind pasta, as the host's own firewall sees them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findProgram } from "../sys/host.ts"
import { networkSuite } from "./network.suite.ts"
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
