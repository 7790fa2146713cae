/** Published ports: every form of `-p`, many of them, and what is refused. */
import { afterEach, describe, expect, test } from "bun:test"
import { pageAt, servePage } from "../support/page-server.ts"
import { hostEnds } from "../support/published.ts"
import { openStore, rootlessOnly, testUnless } from "../support/store.ts"

const skiff = openStore()

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

const serve = (name: string, ...flags: string[]) => servePage(skiff, name, ...flags)
const page = (port: number | string) => pageAt(`127.0.0.1:${port}`)
/** The first of some ports that nobody else uses: tests of other files take theirs from the kernel. */
const somePort = () => 20_000 + Math.floor(Math.random() * 9_000)

describe("-p", () => {
  test("on all addresses is told once for each family, as docker does, and once for both, as podman does", async () => {
    const port = somePort()
    await serve("both", "-p", `${port}:80`, "-p", `127.0.0.1:${port + 1}:81`)
    const has6 = (await skiff.inspect("both")).NetworkSettings.Networks.bridge?.GlobalIPv6Address !== ""
    const shown = async (env: Record<string, string>) => {
      const say = async (...args: string[]) => (await skiff.run(args, { env })).stdout.trim()
      const ports = await say("inspect", "-f", '{{json (index .NetworkSettings.Ports "80/tcp")}}', "both")
      const bound = await say("inspect", "-f", '{{json (index .HostConfig.PortBindings "80/tcp")}}', "both")
      return [
        await say("ps", "--format", "{{.Ports}}"),
        await say("port", "both"),
        await say("port", "both", "80"),
        JSON.parse(ports) as unknown,
        JSON.parse(bound) as unknown,
      ]
    }
    const [four, six, local] = [`0.0.0.0:${port}`, `[::]:${port}`, `127.0.0.1:${port + 1}`]
    const HostPort = `${port}`
    const podman = [
      `${four}->80/tcp, ${local}->81/tcp`,
      `80/tcp -> ${four}\n81/tcp -> ${local}`,
      four,
      [{ HostIp: "0.0.0.0", HostPort }],
      [{ HostIp: "0.0.0.0", HostPort }],
    ]
    const docker = [
      `${four}->80/tcp, ${six}->80/tcp, ${local}->81/tcp`,
      `80/tcp -> ${four}\n80/tcp -> ${six}\n81/tcp -> ${local}`,
      `${four}\n${six}`,
      [
        { HostIp: "0.0.0.0", HostPort },
        { HostIp: "::", HostPort },
      ],
      [{ HostIp: "", HostPort }],
    ]
    expect(await shown({ SKIFF_COMPAT: "podman" })).toEqual(podman)
    if (has6) for (const name of ["", "docker"]) expect(await shown({ SKIFF_COMPAT: name })).toEqual(docker)
    expect(await skiff.ok("port", "both", "80")).toMatch(hostEnds(port))
  })

  test("of a range for one port takes the next that is free, for each container in turn", async () => {
    const first = somePort()
    for (const [index, name] of ["one", "two", "three"].entries()) {
      await serve(name, "-p", `127.0.0.1:${first}-${first + 2}:80`)
      expect(await skiff.ok("port", name)).toBe(`80/tcp -> 127.0.0.1:${first + index}`)
      expect(await page(first + index)).toBe(`page of ${name}\n`)
    }
    const full = await skiff.run(["run", "--rm", "-p", `127.0.0.1:${first}-${first + 2}:80`, "busybox", "true"])
    expect(full).toMatchObject({ code: 125, stderr: expect.stringContaining(`127.0.0.1:${first + 2}/tcp`) })
    const template = '{{(index (index .HostConfig.PortBindings "80/tcp") 0).HostPort}}'
    expect(await skiff.ok("inspect", "-f", template, "two")).toBe(`${first}-${first + 2}`)
    await skiff.ok("update", "-p", `-${first + 1}:80`, "two")
    expect(await skiff.ok("port", "two")).toBe("")
  })

  test("takes 0 for any port, several protocols, lists, and docker's fields", async () => {
    const [first, second, third] = [somePort(), somePort() + 10_000, somePort() + 20_000]
    await serve("forms", "-p", "0:80", "-p", `${first}:53/tcp,udp`, "-p", `target=80,published=${second}`)
    await serve("lists", "-p", `${third}:80,${third + 1}:81/udp`)
    const lines = (await skiff.ok("port", "forms")).split("\n")
    expect(lines).toContain(`53/tcp -> 0.0.0.0:${first}`)
    expect(lines).toContain(`53/udp -> 0.0.0.0:${first}`)
    expect(lines).toContain(`80/tcp -> 0.0.0.0:${second}`)
    expect(await page(second)).toBe("page of forms\n")
    const any = lines
      .find((line) => line.startsWith("80/tcp") && !line.endsWith(`:${second}`))
      ?.split(":")
      .at(-1)
    expect(await page(any ?? "")).toBe("page of forms\n")
    const lists = (await skiff.ok("port", "lists")).split("\n")
    expect(lists.filter((line) => !line.includes("[::]"))).toEqual([
      `80/tcp -> 0.0.0.0:${third}`,
      `81/udp -> 0.0.0.0:${third + 1}`,
    ])
  })

  test("said twice is one", async () => {
    const port = somePort()
    await serve("twice", "-p", `${port}:80`, "-p", `${port}:80/tcp`)
    expect(await skiff.ok("port", "twice")).toMatch(hostEnds(port, "80/tcp -> "))
  })

  test("on an address that this host does not have is refused, and names are no addresses", async () => {
    const absent = await skiff.run(["run", "--rm", "-p", `192.0.2.77:${somePort()}:80`, "busybox", "true"])
    expect(absent).toMatchObject({ code: 125, stderr: expect.stringContaining("this host has no address 192.0.2.77") })
    const named = await skiff.run(["run", "--rm", "-p", "localhost:8080:80", "busybox", "true"])
    expect(named).toMatchObject({ code: 125, stderr: expect.stringContaining("invalid IP address: localhost") })
  })
})

describe("many ports", () => {
  test("of a range of a thousand, and a hundred of UDP each said for itself, lead to their container", async () => {
    const [first, udp] = [somePort(), somePort() + 20_000]
    const hundred = Array.from({ length: 100 }, (_, index) => ["-p", `${udp + index}:${5000 + index}/udp`]).flat()
    await serve("many", "-p", `${first}-${first + 999}:80-1079`, ...hundred)
    const many = (await skiff.ok("port", "many")).split("\n")
    expect(many.filter((line) => !line.includes("[::]"))).toHaveLength(1100)
    expect(await page(first)).toBe("page of many\n")
    const listening = Bun.spawnSync(["ss", "-Hlun"]).stdout.toString()
    expect(listening).toContain(`:${udp} `)
    expect(listening).toContain(`:${udp + 99} `)
  })
})

const sending = (...flags: string[]) =>
  skiff.ok("run", "--rm", ...flags, "busybox", "cat", "/proc/sys/net/ipv4/tcp_wmem", "/sys/class/net/eth0/mtu")
testUnless(rootlessOnly)("below 1024 the sysctl is told to the letter, and a port that is free", async () => {
  const { code, stderr } = await skiff.run(["run", "--rm", "-p", "443:443", "busybox", "true"])
  expect(code).toBe(125)
  expect(stderr).toContain("sudo sysctl -w net.ipv4.ip_unprivileged_port_start=443")
  expect(stderr).toMatch(/publish port 84\d\d, which is free/)
})

testUnless(rootlessOnly)(
  "what is sent through pasta is kept to what it can hold, unless the user says otherwise",
  async () => {
    expect((await sending()).split(/\s+/)).toEqual(["4096", "16384", "524288", "65520"])
    const own = await sending("--sysctl", "net.ipv4.tcp_wmem=4096 16384 999999")
    expect(own.split(/\s+/)).toEqual(["4096", "16384", "999999", "65520"])
  },
)
