/** `--network pasta`: the host's addresses by a program of the container's own, as podman has it. */
import { afterEach, describe, expect, test } from "bun:test"
import { networkInterfaces } from "node:os"
import { serveText } from "../support/http.ts"
import { asRootOnly, openStore, rootlessOnly, testUnless } from "../support/store.ts"
import { eventually, freePort } from "../support/wait.ts"

const skiff = openStore()
const SERVE = 'mkdir -p /www; echo "page of $(hostname)" > /www/index.html; exec httpd -f -p 80 -h /www'

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

const ofUser = testUnless(rootlessOnly)
const hostAddress = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry !== undefined && entry.family === "IPv4" && !entry.internal)?.address
const page = (port: number | string) =>
  eventually(async () => (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) })).text())
const pastas = () => Bun.spawnSync(["pgrep", "-f", "namespace-[0-9a-f]*[.]pid"]).stdout.toString().trim()

describe("--network pasta", () => {
  ofUser("has the host's address, publishes ports of its own, and reaches what the host serves", async () => {
    const port = await freePort()
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "p",
      "--hostname",
      "p",
      "--network",
      "pasta",
      "-p",
      `${port}:80`,
      "-p",
      "80",
      "busybox",
      "sh",
      "-c",
      SERVE,
    )
    expect(await page(port)).toBe("page of p\n")
    const lines = (await skiff.ok("port", "p")).split("\n")
    expect(lines).toContain(`80/tcp -> 0.0.0.0:${port}`)
    const any =
      lines
        .find((line) => !line.endsWith(`:${port}`))
        ?.split(":")
        .at(-1) ?? ""
    expect(await page(any)).toBe("page of p\n")
    if (hostAddress !== undefined)
      expect(await skiff.ok("exec", "p", "ip", "-4", "-o", "addr")).toContain(`inet ${hostAddress}/`)
    expect(await skiff.ok("inspect", "-f", "{{.HostConfig.NetworkMode}}", "p")).toBe("pasta")
    expect(await skiff.ok("ps", "--format", "{{.Networks}} {{.Ports}}")).toMatch(
      new RegExp(`^pasta .*:${port}->80/tcp`),
    )
    // the number of chance stays its own
    await skiff.ok("restart", "-t", "0", "p")
    expect(await page(any)).toBe("page of p\n")
    await skiff.ok("rm", "-f", "p")
    await eventually(() => pastas() === "")
  })

  ofUser("takes pasta's options, and leaves the host's loopback out of reach unless it is asked for", async () => {
    await using server = await serveText("of the loopback", "127.0.0.1")
    const script = `gw=$(ip route | awk '/default/ {print $3}'); timeout 5 wget -qO- http://$gw:${server.port}/ || echo unreached`
    const ask = (mode: string) => skiff.ok("run", "--rm", "--network", mode, "busybox", "sh", "-c", script)
    const own = "pasta:--ipv4-only,-a,10.0.2.0,-n,24,-g,10.0.2.2"
    expect(await ask(own)).toBe("unreached")
    expect(await ask(`${own},--map-gw`)).toBe("of the loopback")
    const words = ["ip", "-o", "addr", "show", "tap7"]
    expect(
      await skiff.ok("run", "--rm", "--network", "pasta:-I,tap7,-a,10.0.2.9,-n,24,-g,10.0.2.2", "busybox", ...words),
    ).toContain("10.0.2.9/24")
  })

  ofUser("refuses a port that is taken, options that are the engine's, and connecting it to networks", async () => {
    await using server = await serveText("")
    const run = (...flags: string[]) => skiff.run(["run", "--rm", ...flags, "busybox", "true"])
    expect(await run("--network", "pasta", "-p", `${server.port}:80`)).toMatchObject({
      code: 125,
      stderr: expect.stringContaining(`${server.port}/tcp`),
    })
    expect(await run("--network", "pasta:-P,/tmp/pid")).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("-P"),
    })
    expect(await run("--network", "pasta:--no-such-option")).toMatchObject({ code: 125 })
    await skiff.ok("create", "--name", "alone", "--network", "pasta", "busybox")
    expect((await skiff.run(["network", "connect", "bridge", "alone"])).stderr).toContain("invalid network mode")
    expect(await skiff.ok("ps", "-q")).toBe("")
    expect(pastas()).toBe("")
  })

  testUnless(asRootOnly)("is an ordinary user's alone", async () => {
    const { code, stderr } = await skiff.run(["run", "--rm", "--network", "pasta", "busybox", "true"])
    expect([code, stderr]).toEqual([125, expect.stringContaining("of an ordinary user")])
  })
})

test("slirp4netns is refused with what to say in its place", async () => {
  const { code, stderr } = await skiff.run(["run", "--rm", "--network", "slirp4netns:mtu=1500", "busybox", "true"])
  expect([code, stderr]).toEqual([125, expect.stringContaining("--network pasta")])
})
