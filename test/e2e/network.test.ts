/** Networks: addresses, ways out, ways in by published ports, what stays closed. */
import { afterEach, describe, expect, test } from "bun:test"
import { createSocket } from "node:dgram"
import { existsSync, readFileSync } from "node:fs"
import { connect } from "node:net"
import { networkInterfaces } from "node:os"
import { serveText } from "../support/http.ts"
import { namespaceOf } from "../support/host-state.ts"
import { pageAt, servePage } from "../support/page-server.ts"
import { openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually, freePort } from "../support/wait.ts"

const skiff = openStore()

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

const serve = (name: string, ...flags: string[]) => servePage(skiff, name, ...flags)
const address = async (name: string) => (await skiff.inspect(name)).NetworkSettings.IPAddress
const hostAddress = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry !== undefined && entry.family === "IPv4" && !entry.internal)?.address

const NF_CALL = "/proc/sys/net/bridge/bridge-nf-call-ip6tables"
/** Why nothing published is reached by ::1, or false. */
const loopback6: string | false = !existsSync("/proc/net/if_inet6")
  ? "no IPv6 here"
  : !user.rootless &&
    existsSync(NF_CALL) &&
    readFileSync(NF_CALL, "utf8").trim() === "1" &&
    "br_netfilter translates on bridges"

async function closed(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port })
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(false))
    socket.once("error", () => resolve(true))
    socket.setTimeout(1_000, () => resolve(true))
  }).finally(() => socket.destroy()) as Promise<boolean>
}

describe("bridge", () => {
  test("gives an address, a route, a gateway, and its own names", async () => {
    const script = "ip -4 -o addr show eth0; ip route; cat /etc/hosts; cat /etc/resolv.conf"
    const text = await skiff.ok("run", "--rm", "--name", "addressed", "busybox", "sh", "-c", script)
    // 172.17.0.0/16, or the next range that is free here
    expect(text).toMatch(/inet (172\.\d+|192\.168)\.\d+\.\d+\/\d+/)
    expect(text).toMatch(/default via (172|192)\.\d+\.\d+\.1 dev eth0/)
    expect(text).toMatch(/^127\.0\.0\.1\s+localhost/m)
    expect(text).toMatch(/^1[79]2\.\d+\.\d+\.\d+\s+[0-9a-f]{12}/m)
    expect(text).toMatch(/^nameserver /m)
  })

  test("containers reach each other, and get different addresses", async () => {
    await serve("one")
    await serve("two")
    const [first, second] = [await address("one"), await address("two")]
    expect(first).not.toBe(second)
    await eventually(async () => (await skiff.ok("exec", "two", "wget", "-qO-", `http://${first}/`)) === "page of one")
  })

  test("a container reaches a service of the host", async () => {
    await using server = await serveText("from the host")
    const url = `http://${hostAddress}:${server.port}/`
    expect(await skiff.ok("run", "--rm", "busybox", "timeout", "5", "wget", "-qO-", url)).toBe("from the host")
  })

  test("each container has an IPv6 address of the network's range, and a line of it in its hosts file", async () => {
    const [network] = JSON.parse(await skiff.ok("network", "inspect", "bridge")) as {
      EnableIPv6: boolean
      IPAM: { Config: { Subnet: string }[] }
    }[]
    expect(network?.EnableIPv6).toBe(true)
    const prefix = network?.IPAM.Config[1]?.Subnet.replace("/64", "") ?? "none"
    expect(prefix).toMatch(/^fd[0-9a-f:]+::$/)
    await skiff.ok("run", "-d", "--name", "six", "--hostname", "six", "busybox", "sleep", "300")
    const shown = await skiff.ok(
      "inspect",
      "-f",
      "{{.NetworkSettings.GlobalIPv6Address}} {{.NetworkSettings.GlobalIPv6PrefixLen}} {{.NetworkSettings.IPv6Gateway}}",
      "six",
    )
    const [address6 = "", length, gateway] = shown.split(" ")
    expect([address6.startsWith(prefix), length, gateway]).toEqual([true, "64", `${prefix}1`])
    expect(await skiff.ok("exec", "six", "ip", "-6", "-o", "addr", "show", "eth0", "scope", "global")).toContain(
      address6,
    )
    expect(await skiff.ok("exec", "six", "cat", "/etc/hosts")).toContain(`\n${address6}\tsix`)
    expect(await skiff.ok("run", "--rm", "busybox", "ping", "-6", "-c1", "-W2", address6)).toContain(
      "1 packets received",
    )
    await skiff.ok("rm", "-f", "six")
  })

  test("a network without IPv6 has none but loopback", async () => {
    await skiff.ok("network", "create", "--ipv6=false", "four")
    const text = await skiff.ok("run", "--rm", "--network", "four", "busybox", "ip", "-6", "-o", "addr", "show")
    expect(text.split("\n")).toEqual([expect.stringContaining("lo    inet6 ::1/128")])
    await skiff.ok("network", "rm", "four")
  })
})

describe("published ports", () => {
  test("are reached by 127.0.0.1, by the host's address and by other containers", async () => {
    const port = await freePort()
    await serve("web", "-p", `${port}:80`)
    expect(await pageAt(`127.0.0.1:${port}`)).toBe("page of web\n")
    if (hostAddress !== undefined) {
      expect(await pageAt(`${hostAddress}:${port}`)).toBe("page of web\n")
      const url = `http://${hostAddress}:${port}/`
      expect(await skiff.ok("run", "--rm", "busybox", "timeout", "5", "wget", "-qO-", url)).toBe("page of web")
      expect(await skiff.ok("exec", "web", "timeout", "5", "wget", "-qO-", url)).toBe("page of web") // hairpin
    }
    expect(await skiff.ok("port", "web")).toContain(`80/tcp -> 0.0.0.0:${port}`)
    expect(await skiff.ok("port", "web", "80")).toContain(`0.0.0.0:${port}`)
    expect(await skiff.ok("ps", "--format", "{{.Ports}}")).toContain(`0.0.0.0:${port}->80/tcp`)
  })

  testUnless(loopback6)("are reached by ::1, where it says so alone", async () => {
    const [both, six, four] = [await freePort(), await freePort(), await freePort()]
    await serve("loopback", "-p", `${both}:80`, "-p", `[::1]:${six}:80`, "-p", `0.0.0.0:${four}:80`)
    for (const port of [both, six]) expect(await pageAt(`[::1]:${port}`)).toBe("page of loopback\n")
    for (const port of [both, four]) expect(await pageAt(`127.0.0.1:${port}`)).toBe("page of loopback\n")
    expect(await closed("127.0.0.1", six)).toBe(true)
    expect(await closed("::1", four)).toBe(true)
    expect(await skiff.ok("port", "loopback")).toContain(`80/tcp -> [::1]:${six}`)
    await skiff.ok("rm", "-f", "loopback")
  })

  test("bound to one address are open there alone", async () => {
    const port = await freePort()
    await serve("local", "-p", `127.0.0.1:${port}:80`)
    expect(await pageAt(`127.0.0.1:${port}`)).toBe("page of local\n")
    if (hostAddress !== undefined) expect(await closed(hostAddress, port)).toBe(true)
  })

  test("without a host port get a free one", async () => {
    await serve("any", "-p", "80")
    const bound =
      (await skiff.ok("port", "any", "80/tcp")).split("\n").find((line) => line.startsWith("0.0.0.0:")) ?? ""
    expect(await pageAt(bound.replace("0.0.0.0", "127.0.0.1"))).toBe("page of any\n")
  })

  test("-P publishes what --expose names", async () => {
    await serve("all", "-P", "--expose", "80")
    const ports = (await skiff.inspect("all")).NetworkSettings.Ports["80/tcp"] ?? []
    expect(await pageAt(`127.0.0.1:${ports[0]?.HostPort}`)).toBe("page of all\n")
  })

  test("of a range go one to one", async () => {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    await serve("range", "-p", `${port}-${port + 2}:80-82`)
    expect(await pageAt(`127.0.0.1:${port}`)).toBe("page of range\n")
    expect(await skiff.ok("port", "range", "82")).toContain(`:${port + 2}`)
  })

  test("take udp, there and back", async () => {
    const port = await freePort()
    // busybox speaks no UDP: the host's perl, in its own tree, does
    const tree = ["/usr", "/lib", "/lib64"].flatMap((path) => (existsSync(path) ? ["-v", `${path}:${path}:ro`] : []))
    const echo = "$s = IO::Socket::INET->new(LocalPort => 9000, Proto => 'udp'); $s->send($m) while $s->recv($m, 99)"
    await skiff.ok(
      "run",
      "-d",
      "-p",
      `${port}:9000/udp`,
      ...tree,
      "busybox",
      "/usr/bin/perl",
      "-MIO::Socket",
      "-e",
      echo,
    )
    const socket = createSocket("udp4")
    try {
      const answer = new Promise<string>((resolve) => socket.on("message", (message) => resolve(message.toString())))
      await eventually(async () => {
        socket.send("ping", port, "127.0.0.1")
        return (await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 300))])) === "ping"
      })
    } finally {
      socket.close()
    }
  })

  test("taken by another are refused before anything starts, and nothing stays", async () => {
    await using server = await serveText("")
    const { code, stderr } = await skiff.run(["run", "--rm", "-p", `${server.port}:80`, "busybox", "true"])
    expect(code).toBe(125)
    expect(stderr).toContain(String(server.port))
    expect(await skiff.ok("ps", "-aq")).toBe("")
  })

  test("taken by another container are refused", async () => {
    const port = await freePort()
    await serve("holder", "-p", `${port}:80`)
    const { code, stderr } = await skiff.run(["run", "--rm", "-p", `${port}:80`, "busybox", "true"])
    expect(code).toBe(125)
    expect(stderr).toContain(String(port))
  })

  test("are held by a socket, which the host's tools show, and which no program can bind beside it", async () => {
    const port = await freePort()
    await serve("shown", "-p", `${port}:80`, "-p", `${port}:53/udp`)
    const sockets = Bun.spawnSync(["ss", "-Hlntu", `sport = :${port}`]).stdout.toString()
    expect(sockets).toMatch(new RegExp(`^tcp\\s+LISTEN.*:${port}`, "m"))
    expect(sockets).toMatch(new RegExp(`^udp\\s+UNCONN.*:${port}`, "m"))
    for (const hostname of ["0.0.0.0", "127.0.0.1"])
      expect(() => Bun.listen({ hostname, port, socket: { data() {} } })).toThrow()
    // nothing of them is in the container, and nothing stays when it is removed
    expect(await skiff.ok("exec", "shown", "sh", "-c", "ls /proc/1/fd | wc -l")).toMatch(/^[3-6]$/)
    await skiff.ok("rm", "-f", "shown")
    await eventually(() => Bun.spawnSync(["ss", "-Hlntu", `sport = :${port}`]).stdout.length === 0)
  })

  test("go to the next container at once, and stay with one that is started again", async () => {
    const port = await freePort()
    for (const name of ["first", "second", "third"]) {
      await serve(name, "-p", `${port}:80`)
      expect(await pageAt(`127.0.0.1:${port}`)).toBe(`page of ${name}\n`)
      if (name !== "third") await skiff.ok("rm", "-f", name)
    }
    await skiff.ok("restart", "-t", "0", "third")
    expect(await pageAt(`127.0.0.1:${port}`)).toBe("page of third\n")
    const again = ["run", "-d", "--name", "comes-back", "--restart", "always", "-p", `${await freePort()}:80`]
    await skiff.ok(...again, "busybox", "sh", "-c", "sleep 0.3; exit 1")
    await eventually(async () => (await skiff.inspect("comes-back")).RestartCount >= 2)
    expect((await skiff.inspect("comes-back")).State.Error ?? "").toBe("")
  })

  const flushed = testUnless(user.rootless && "an ordinary user's rules are in a namespace of his own")
  flushed("come back after their rules were flushed, by whatever command looks at containers or networks", async () => {
    const port = await freePort()
    await serve("flushed", "-p", `${port}:80`)
    const option = '{{index .Options "com.docker.network.bridge.name"}}'
    const bridge = await skiff.ok("network", "inspect", "bridge", "--format", option)
    const table = bridge === "skiff0" ? "skiff" : `skiff_${bridge.slice(2, -1)}`
    for (const command of [["ps"], ["inspect", "flushed"], ["port", "flushed"], ["network", "ls"]]) {
      // what cleans up after an earlier container is a command, too, and may come first
      await eventually(async () => {
        Bun.spawnSync(["nft", "delete", "table", "inet", table])
        expect(await closed("127.0.0.1", port)).toBe(true)
        expect((await skiff.run(command)).stderr).toContain("been restored")
      })
      expect(await pageAt(`127.0.0.1:${port}`)).toBe("page of flushed\n")
    }
    expect((await skiff.run(["ps"])).stderr).toBe("")
  })

  test("close when the container ends, and open again when it starts", async () => {
    const port = await freePort()
    await serve("again", "-p", `${port}:80`)
    await pageAt(`127.0.0.1:${port}`)
    await skiff.ok("stop", "-t", "0", "again")
    await eventually(() => closed("127.0.0.1", port))
    await skiff.ok("start", "again")
    expect(await pageAt(`127.0.0.1:${port}`)).toBe("page of again\n")
  })

  test("not published stay closed on the host", async () => {
    await serve("shut")
    const port = await freePort()
    expect(await closed("127.0.0.1", port)).toBe(true)
    if (hostAddress !== undefined) expect(await closed(hostAddress, 80)).toBe(true)
  })

  test("show the client's address to the service", async () => {
    const port = await freePort()
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "who",
      "-p",
      `${port}:80`,
      "busybox",
      "sh",
      "-c",
      "exec httpd -f -vv -p 80 -h /var/www",
    )
    if (hostAddress === undefined) return
    await eventually(async () => (await fetch(`http://${hostAddress}:${port}/`)).status > 0)
    await eventually(async () => (await skiff.run(["logs", "who"])).stderr.includes(":"))
    // a service that trusts localhost must not be fooled by one that comes through a published port (CVE-2021-20199)
    expect((await skiff.run(["logs", "who"])).stderr).not.toContain("[::ffff:127.0.0.1]")
  })
})

describe("--network", () => {
  test("none has loopback alone", async () => {
    const links = await skiff.ok(
      "run",
      "--rm",
      "--network",
      "none",
      "busybox",
      "sh",
      "-c",
      "ip -o link | wc -l; ip -o link show lo",
    )
    expect(links).toMatch(/^1\n/)
    expect(links).toContain("UP")
  })

  test("host is the host's own", async () => {
    const inside = await skiff.ok("run", "--rm", "--network", "host", "busybox", "readlink", "/proc/self/ns/net")
    expect(inside).toBe(namespaceOf("self", "net"))
  })

  test("container:NAME shares the other's", async () => {
    await serve("owner")
    const script = "ip -4 -o addr show eth0; wget -qO- http://127.0.0.1/"
    const text = await eventually(() =>
      skiff.ok("run", "--rm", "--network", "container:owner", "busybox", "sh", "-c", script),
    )
    expect(text).toContain(await address("owner"))
    expect(text).toContain("page of owner")
  })

  test("of an absent name is refused", async () => {
    const { code, stderr } = await skiff.run(["run", "--rm", "--network", "container:absent", "busybox", "true"])
    expect(code).toBe(125)
    expect(stderr).toContain("absent")
    expect((await skiff.run(["run", "--rm", "--network", "no-such-net", "busybox", "true"])).code).toBe(125)
  })
})

test("--dns, --dns-search, --add-host reach the files", async () => {
  const flags = ["--dns", "192.0.2.53", "--dns-search", "boats.example", "--add-host", "pier:192.0.2.7"]
  const text = await skiff.ok("run", "--rm", ...flags, "busybox", "cat", "/etc/resolv.conf", "/etc/hosts")
  expect(text).toMatch(/^nameserver 192\.0\.2\.53$/m)
  expect(text).toMatch(/^search boats\.example$/m)
  expect(text).toMatch(/^192\.0\.2\.7\s+pier$/m)
})

test("--add-host host-gateway leads to the host", async () => {
  await using server = await serveText("gateway")
  const url = `http://outside:${server.port}/`
  const args = ["run", "--rm", "--add-host", "outside:host-gateway", "busybox", "timeout", "5", "wget", "-qO-", url]
  expect(await skiff.ok(...args)).toBe("gateway")
})

testUnless(!user.rootless && "asked of an ordinary user only")(
  "a port below 1024 is refused, with the remedy",
  async () => {
    const { code, stderr } = await skiff.run(["run", "--rm", "-p", "81:80", "busybox", "true"])
    expect(code).toBe(125)
    expect(stderr).toContain("net.ipv4.ip_unprivileged_port_start")
  },
)
