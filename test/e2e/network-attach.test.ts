/** A container, and a pod, on several networks: at their start, live, and after it. */
import { ten } from "../support/ranges.ts"
import { afterEach, beforeAll, describe, expect, test } from "bun:test"
import { openStore } from "../support/store.ts"
import { eventually, freePort } from "../support/wait.ts"

const skiff = openStore()
const SERVE = 'mkdir -p /www; echo "page of $(hostname)" > /www/index.html; exec httpd -f -p 80 -h /www'

beforeAll(async () => {
  await skiff.ok("network", "create", "--subnet", "10.201.1.0/24", "red")
  await skiff.ok("network", "create", "--subnet", "10.201.2.0/24", "blue")
  await skiff.ok("network", "create", "--subnet", "10.201.3.0/24", "--internal", "closed")
  await skiff.ok("network", "create", "--ipv6=false", "four")
  await skiff.ok("network", "create", "--subnet", "fd00:a:b::/64", "six")
})

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", "-t", "0", ...ids)
  const pods = (await skiff.ok("pod", "ps", "-q")).split("\n").filter(Boolean)
  if (pods.length > 0) await skiff.ok("pod", "rm", "-f", ...pods)
})

const sleeper = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, "--hostname", name, ...flags, "busybox", "sleep", "1000")
const serve = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, "--hostname", name, ...flags, "busybox", "sh", "-c", SERVE)
const inside = (name: string, script: string) => skiff.ok("exec", name, "sh", "-c", script)
const page = (port: number) =>
  eventually(async () => (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1_000) })).text())
const networksOf = async (name: string) => (await skiff.inspect(name)).NetworkSettings.Networks
const refused = async (...args: string[]) => {
  const { code, stderr } = await skiff.run(args)
  expect(code === 1 || code === 125).toBe(true)
  return stderr.trim().split("\n")[0] ?? ""
}

describe("several networks", () => {
  test("each has its interface, the first has the uplink, and the hosts file knows all", async () => {
    await sleeper("both", "--network", "red", "--network", "blue")
    const text = await inside("both", "ip -4 -o addr; ip route; cat /etc/hosts")
    expect(text).toMatch(/eth0 +inet 10\.201\.1\.\d+\/24/)
    expect(text).toMatch(/eth1 +inet 10\.201\.2\.\d+\/24/)
    expect(text.match(/^default .*$/gm)).toEqual(["default via 10.201.1.1 dev eth0 "])
    expect(text).toMatch(/^10\.201\.1\.\d+\tboth$/m)
    expect(text).toMatch(/^10\.201\.2\.\d+\tboth$/m)
    expect(Object.keys(await networksOf("both"))).toEqual(["red", "blue"])
    for (const network of ["red", "blue", await skiff.ok("network", "inspect", "-f", "{{.Id}}", "blue")])
      expect(await skiff.ok("ps", "--filter", `network=${network}`, "--format", "{{.Names}} {{.Networks}}")).toBe(
        "both red,blue",
      )
  })

  test("are asked for in the words of docker and podman", async () => {
    const mac = "02:42:0a:c9:00:07"
    await sleeper("one", "--network", `name=red,ip=10.201.1.7,alias=x,alias=y,mac-address=${mac}`, "--network", "blue")
    const { red, blue } = await networksOf("one")
    expect(red).toMatchObject({
      IPAddress: "10.201.1.7",
      MacAddress: mac,
      Aliases: ["x", "y"],
      IPAMConfig: { IPv4Address: "10.201.1.7" },
    })
    expect(red?.DNSNames).toEqual(expect.arrayContaining(["one", "x", "y"]))
    expect(blue).toMatchObject({ Aliases: null, IPAMConfig: null })
    await sleeper("two", "--network", "red:ip=10.201.1.8,mac=02:42:0a:c9:00:08,interface_name=front", "--net", "blue")
    expect(await inside("two", "ip -4 -o addr")).toMatch(/front +inet 10\.201\.1\.8\/24/)
    await sleeper("three", "--network", "red,blue", "--network-alias", "z")
    expect((await networksOf("three")).blue?.Aliases).toEqual(["z"])
  })

  test("the uplink is the one of the highest priority, and none without a way out", async () => {
    const port = await freePort()
    await serve("led", "--network", "red", "--network", "name=blue,gw-priority=5", "-p", `${port}:80`)
    expect(await inside("led", "ip route")).toContain("default via 10.201.2.1 dev eth1")
    expect(await page(port)).toBe("page of led\n")
    await sleeper("inward", "--network", "closed", "--network", "red")
    expect(await inside("inward", "ip route")).toContain("default via 10.201.1.1 dev eth1")
    // an ordinary user's pasta of the former run ends when the machine has time for it
    await eventually(() => skiff.ok("restart", "-t", "0", "led"))
    expect(await page(port)).toBe("page of led\n")
  })

  test("an interface has the name and the settings that docker's driver options give it", async () => {
    const sysctls = "com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1"
    const name = "driver-opt=com.docker.network.endpoint.ifname=lan0"
    await sleeper("set", "--network", `name=red,"driver-opt=${sysctls}"`, "--network", `name=blue,${name}`)
    const read = "cat /proc/sys/net/ipv4/conf/eth0/log_martians /proc/sys/net/ipv4/conf/lan0/log_martians"
    expect(await inside("set", read)).toBe("1\n0")
    for (const key of ["net.ipv4.ip_forward", "net.ipv4.conf.IFNAME.no_such"]) {
      const bad = `name=red,driver-opt=com.docker.network.endpoint.sysctls=${key}=1`
      expect(await refused("run", "-d", "--network", bad, "busybox", "true")).toContain(`interface sysctl '${key}'`)
    }
  })

  test("a start that fails at the second leaves nothing of the first", async () => {
    await sleeper("holder", "--network", "name=blue,ip=10.201.2.9")
    const line = await refused(
      "run",
      "-d",
      "--network",
      "red",
      "--network",
      "name=blue,ip=10.201.2.9",
      "busybox",
      "true",
    )
    expect(line).toContain('address 10.201.2.9 is in use by container "holder"')
    expect(await skiff.ok("ps", "-aq")).not.toContain("\n")
  })

  test("a pod is on them, with names and addresses of its own", async () => {
    const port = await freePort()
    await skiff.ok(
      ..."pod create --name group --network red:ip=10.201.1.30 --network blue --network-alias g -p".split(" "),
      `${port}:80`,
    )
    await skiff.ok("run", "-d", "--pod", "group", "--name", "member", "busybox", "sh", "-c", SERVE)
    const text = await inside("member", "ip -4 -o addr; ip route")
    expect(text).toMatch(/eth0 +inet 10\.201\.1\.30\/24/)
    expect(text).toMatch(/eth1 +inet 10\.201\.2\.\d+\/24/)
    expect(text).toContain("default via 10.201.1.1 dev eth0")
    expect(await page(port)).toContain("page of group")
    await skiff.ok("pod", "stop", "-t", "0", "group")
    expect(await refused("run", "-d", "--network", "name=red,ip=10.201.1.30", "busybox", "true")).toContain("in use")
    expect(await refused("network", "connect", "closed", "member")).toContain("sharing network namespace")
  })
})

describe("IPv6", () => {
  test("is on each network, with one default route, by the first; an address that is asked for is kept", async () => {
    await sleeper("both", "--network", "name=six,ip6=fd00:a:b::77", "--network", "red", "--network", "four")
    const text = await inside("both", "ip -6 -o addr; ip -6 route; cat /etc/hosts")
    expect(text).toContain("eth0    inet6 fd00:a:b::77/64 scope global")
    expect(text).toMatch(/eth1 +inet6 fd\S+\/64 scope global/)
    expect(text).not.toMatch(/eth2 +inet6/)
    expect(text.match(/^default .*$/gm)).toEqual([expect.stringContaining("default via fd00:a:b::1 dev eth0")])
    expect(text).toContain("fd00:a:b::77\tboth")
    await skiff.ok("stop", "-t", "0", "both")
    expect(await refused("run", "-d", "--network", "name=six,ip6=fd00:a:b::77", "busybox", "true")).toContain(
      'fd00:a:b::77 is in use by container "both"',
    )
    await skiff.ok("start", "both")
    await skiff.ok("network", "disconnect", "six", "both")
    const left = await inside("both", "ip -6 -o addr; ip -6 route; cat /etc/hosts")
    expect(left).not.toContain("fd00:a:b::")
    expect(left.match(/^default .*$/gm)).toEqual([expect.stringContaining("dev eth1")])
  })

  test("a published port goes on over both families when the network that it was led through is left", async () => {
    const port = await freePort()
    await serve("web", "--network", "six", "--network", "red", "-p", `${port}:80`)
    // busybox's wget knows no IPv6 address
    const asked = () =>
      eventually(async () =>
        expect(await inside("asker", `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 fd00:a:b::1 ${port}`)).toContain(
          "page of web",
        ),
      )
    await sleeper("asker", "--network", "six")
    await asked()
    await skiff.ok("network", "disconnect", "six", "web")
    await asked()
  })
})

describe("what cannot be is refused, with one line", () => {
  const cases: [string[], string][] = [
    [["--network", "red", "--network", "host"], "cannot attach both user-defined and non-user-defined network-modes"],
    [["--network", "none", "--network", "red"], "cannot attach both user-defined and non-user-defined network-modes"],
    [["--network", "red", "--network", "blue", "--ip", "10.201.1.9"], "--ip can only be set for a single network"],
    [
      ["--network", "name=red,ip=10.201.1.9", "--ip", "10.201.1.9"],
      "cannot specify both --ip and per-network IPv4 address",
    ],
    [["--network", "name=red,alias=a", "--network-alias", "b"], "both --network-alias and per-network alias"],
    [["--network-alias", "a"], "network-scoped aliases are only supported for user-defined networks"],
    [
      ["--network", "host", "--network-alias", "a"],
      "network-scoped aliases are only supported for user-defined networks",
    ],
    [
      ["--network", "host", "--ip", "10.201.1.9"],
      "user specified IP address is supported on user defined networks only",
    ],
    [["--network", "host", "--link", "a:b"], "can't be used with links"],
    [["--network", "red", "--network", "red"], 'network "red" is given twice'],
    [["--network", "red", "--network", "nowhere"], "network nowhere not found"],
    [["--network", `name=red,ip=${ten(99)}.0.1`], `address ${ten(99)}.0.1 cannot be given`],
    [["--network", "name=red,ip=10.201.1.1"], "address 10.201.1.1 cannot be given"],
    [["--network", "name=red,ip=red"], "red is not an IPv4 address"],
    [["--network", "name=red,colour=red"], "invalid field key colour"],
    [["--network", "ip=10.201.1.9"], "network name is not specified"],
    [["--network", "red", "--mac-address", "01:00:5e:00:00:01"], "the mac address of a group"],
    [["--network", "red:host_interface_name=veth9"], "a name of the engine's"],
    [["--network", "red", "--link-local-ip", "169.254.1.1"], "no link-local address"],
    [["--network", "red:interface_name=a/b"], 'invalid interface name "a/b"'],
    [["--network", "red:interface_name=x", "--network", "blue:interface_name=x"], 'interface name "x" is given twice'],
    [["--network", "name=red,ip6=2001:db8::5"], "address 2001:db8::5 cannot be given"],
    [["--network", "name=four,ip6=fd00::5"], 'network "four" has no IPv6 range'],
    [["--network", "slirp4netns"], 'the network mode "slirp4netns"'],
  ]
  for (const [flags, words] of cases)
    test(flags.join(" "), async () => {
      expect(await refused("run", "-d", ...flags, "busybox", "true")).toContain(words)
      expect(await skiff.ok("ps", "-aq")).toBe("")
    })
})
