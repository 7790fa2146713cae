/** `system migrate --from`: what podman and docker have made themselves, here with the same ids, files, addresses and options. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { BUSYBOX } from "../support/image.ts"
import { noDocker, startDocker, type OtherEngine } from "../support/other-engines.ts"
import { noPodmanHere, openPodmanHome } from "../support/podman-home.ts"
import { sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"
import { asRootOnly, noLimits, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const registry = await sharedRegistry()
const reference = registry.push("migrate/app:1", {
  ...BUSYBOX,
  config: { Env: ["X=1"], Cmd: ["sh"], Labels: { own: "image" } },
})
// the other tests have networks of this host besides
const range = user.rootless ? "10.213" : "10.212"

interface Inspected {
  Config: {
    Env: string[]
    Labels: Record<string, string>
    Cmd: string[]
    Entrypoint: string[] | null
    User: string
    Hostname: string
    Healthcheck?: object
  }
  HostConfig: Record<string, unknown>
  Mounts: { Type: string; Name?: string; Source: string; Destination: string; RW: boolean }[]
  NetworkSettings: { Networks: Record<string, { IPAMConfig: { IPv4Address?: string } | null; Aliases: string[] }> }
  State: { Status: string }
}

/** What both engines are given, in the words that they share. */
function fill(ok: (...args: string[]) => string, image: string, host: string): void {
  ok("volume", "create", "--label", "k=v", "data")
  ok("network", "create", "--subnet", `${range}.7.0/24`, "--label", "n=1", "apps")
  const life = [
    "--restart",
    "on-failure:3",
    "--stop-timeout",
    "7",
    "--init",
    "--health-cmd",
    "true x",
    "--health-interval",
    "10s",
  ]
  const bounds = noLimits === false ? ["--memory", "100m", "--pids-limit", "50"] : []
  const limits = [...bounds, "--ulimit", "nofile=100:200", "--shm-size", "10m"]
  const rights = [
    "--user",
    "1000:5",
    "--cap-add",
    "NET_ADMIN",
    "--cap-drop",
    "MKNOD",
    "--read-only",
    "--tmpfs",
    "/t:size=1m",
  ]
  const files = ["-v", "data:/data", "-v", `${host}:/host,odd:ro`, "-v", "/anonymous"]
  const net = [
    "--network",
    "apps",
    "--ip",
    `${range}.7.9`,
    "--network-alias",
    "al",
    "-p",
    "127.0.0.1:18081:80",
    "--dns",
    "1.1.1.1",
    "--add-host",
    "h:1.2.3.4",
  ]
  const words = [
    "-e",
    "A=B",
    "-e",
    "C=D e",
    "--label",
    "l=m",
    "--hostname",
    "webby",
    "-w",
    "/tmp",
    "--entrypoint",
    "/bin/sh",
  ]
  ok(
    "create",
    "--name",
    "web",
    ...life,
    ...limits,
    ...rights,
    ...files,
    ...net,
    ...words,
    image,
    "-c",
    "echo $A $C; exit 3",
  )
  ok("create", "--name", "plain", image)
  ok("create", "--name", "beside", "--network", "container:web", image, "true")
}

/** Of all that the store holds, and its times. */
const listing = (path: string) =>
  spawnSync("find", [
    path,
    "(",
    "-name",
    "*.lock",
    "-o",
    "-name",
    "*.db",
    "-o",
    "-name",
    "tmp",
    ")",
    "-prune",
    "-o",
    "-printf",
    "%P %y %m %U %s %T@\n",
  ]).stdout.toString()

/** `hasRange`: no bridge of the other engine stands on this host with it. */
async function checkMoved(skiff: Skiff, id: string, hasRange: boolean): Promise<void> {
  expect(await skiff.ok("image", "inspect", "-f", "{{.Id}}", reference)).toBe(id)
  const [volume] = JSON.parse(await skiff.ok("volume", "inspect", "data")) as [{ Labels: object }]
  expect(volume.Labels).toEqual({ k: "v" })
  const [network] = JSON.parse(await skiff.ok("network", "inspect", "apps")) as [
    { IPAM: { Config: object[] }; Labels: object },
  ]
  expect(network.Labels).toEqual({ n: "1" })
  const { Config: ranges } = network.IPAM
  if (hasRange) expect(ranges).toMatchObject([{ Subnet: `${range}.7.0/24` }])
  const [web] = JSON.parse(await skiff.ok("container", "inspect", "web")) as [Inspected]
  expect(web.State.Status).toBe("created")
  expect(web.Config).toMatchObject({
    User: "1000:5",
    Hostname: "webby",
    Entrypoint: ["/bin/sh"],
    Cmd: ["-c", "echo $A $C; exit 3"],
  })
  expect(web.Config.Env).toEqual(expect.arrayContaining(["X=1", "A=B", "C=D e"]))
  expect(web.Config.Labels).toMatchObject({ l: "m", own: "image" })
  expect(web.Config.Healthcheck).toMatchObject({ Test: ["CMD-SHELL", "true x"], Interval: 10_000_000_000 })
  expect(web.HostConfig).toMatchObject({
    RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
    ...(noLimits === false && { Memory: 100 * 1024 ** 2, PidsLimit: 50 }),
    ShmSize: 10 * 1024 ** 2,
    ReadonlyRootfs: true,
    Init: true,
    Dns: ["1.1.1.1"],
    ExtraHosts: ["h:1.2.3.4"],
    PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "18081" }] },
  })
  const mounts = web.Mounts.map(({ Type, Destination, RW }) => `${Type} ${Destination} ${RW}`)
  expect(mounts).toEqual(
    expect.arrayContaining(["volume /data true", "bind /host,odd false", "volume /anonymous true"]),
  )
  expect(web.NetworkSettings.Networks.apps?.Aliases).toContain("al")
  if (hasRange) expect(web.NetworkSettings.Networks.apps?.IPAMConfig?.IPv4Address).toBe(`${range}.7.9`)
  const [beside] = JSON.parse(await skiff.ok("container", "inspect", "beside")) as [Inspected]
  expect(String(beside.HostConfig.NetworkMode)).toStartWith("container:")
  expect(
    await skiff.ok(
      "run",
      "--rm",
      "-v",
      "data:/d",
      "--network",
      "none",
      reference,
      "sh",
      "-c",
      "cat /d/f; stat -c %u:%g:%a /d/f",
    ),
  ).toBe("kept\n33:34:640")
}

describe.skipIf(noPodmanHere !== false)("system migrate --from podman", () => {
  const skiff = new Skiff()
  const podman = openPodmanHome(skiff.directory, skiff.home)
  const host = join(skiff.home, "shared")
  const migrate = async (...words: string[]) =>
    await skiff.run(["system", "migrate", "--from", "podman", ...words], { env: podman.env, timeoutMs: 90_000 })
  let id = ""
  beforeAll(() => {
    mkdirSync(host)
    podman.ok("pull", "-q", "--tls-verify=false", reference)
    id = `sha256:${podman.ok("image", "inspect", "--format", "{{.Id}}", reference)}`
    fill(podman.ok, reference, host)
    const script = "echo kept > /d/f; chown 33:34 /d/f; chmod 640 /d/f"
    podman.unshared("sh", "-c", script.replaceAll("/d/", `${podman.graphRoot}/volumes/data/_data/`))
    podman.ok("pod", "create", "--infra=false", "--name", "pod1")
    podman.ok("create", "--pod", "pod1", "--name", "podded", reference)
  }, 90_000)
  afterAll(async () => {
    podman.remove()
    await skiff.close()
  }, 90_000)

  test("--dry-run tells all of it, and moves nothing", async () => {
    const { code, stdout } = await migrate("--dry-run")
    expect(code).toBe(1)
    for (const line of [
      `image ${reference}: would move`,
      "volume data: would move",
      "network apps: would move",
      "container web: would move",
    ])
      expect(stdout).toContain(line)
    expect(await skiff.ok("images", "-q")).toBe("")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  }, 90_000)

  test("moves images, volumes, networks and containers, and leaves podman's store as it was", async () => {
    const before = listing(podman.graphRoot)
    const { stdout } = await migrate()
    expect(stdout.match(/.*NOT MOVED\n.*/g)).toEqual([
      expect.stringContaining("container podded: NOT MOVED\n  it is in a pod"),
    ])
    await checkMoved(skiff, id, true)
    expect(listing(podman.graphRoot)).toBe(before)
  }, 90_000)

  test("moves nothing a second time, and only what is chosen", async () => {
    const { stdout } = await migrate()
    expect(stdout).toContain("0 moved, ")
    expect(stdout).toContain("volume data: is here already")
    await skiff.ok("rm", "-f", "beside", "plain")
    const { code, stdout: chosen } = await migrate("--networks", "--json")
    expect(code).toBe(0)
    expect(JSON.parse(chosen)).toEqual([{ kind: "networks", name: "apps", result: "there", notes: [] }])
    expect(await skiff.ok("ps", "-aq", "--filter", "name=plain")).toBe("")
  }, 90_000)

  test("a migration that is killed while a volume is copied leaves no volume of that name, and the next one makes it", async () => {
    await skiff.ok("rm", "-f", "web")
    await skiff.ok("volume", "rm", "data")
    await skiff.run(["system", "migrate", "--from", "podman", "--volumes"], {
      env: { ...podman.env, SKIFF_CRASH_AT: "volume:importing" },
    })
    expect(await skiff.ok("volume", "ls", "-q", "--filter", "name=^data$")).toBe("")
    expect((await migrate("--volumes")).stdout).toContain("volume data: moved")
    expect(await skiff.ok("volume", "ls", "-q")).not.toContain("migrating")
  }, 90_000)
})

describe("system migrate --from docker", () => {
  const skiff = new Skiff()
  let docker: OtherEngine | undefined
  beforeAll(async () => {
    docker = noDocker === false && asRootOnly === false ? await startDocker() : undefined
  }, 60_000)
  afterAll(async () => {
    await docker?.stop()
    await skiff.close()
  }, 60_000)
  const unfit = asRootOnly || noDocker

  testUnless(unfit)(
    "moves images, volumes, networks and containers, and again nothing",
    async () => {
      if (docker === undefined) return console.log("skipped: dockerd does not run here")
      const { ok, address = "" } = docker
      const archive = join(skiff.directory, "app.tar")
      spawnSync("skopeo", [
        "copy",
        "-q",
        "--src-tls-verify=false",
        `docker://${reference}`,
        `docker-archive:${archive}:${reference}`,
      ])
      ok("load", "-i", archive)
      const id = ok("image", "inspect", "-f", "{{.Id}}", reference)
      const host = join(skiff.directory, "shared")
      mkdirSync(host)
      fill(ok, reference, host)
      const data = ok("volume", "inspect", "-f", "{{.Mountpoint}}", "data")
      spawnSync("sh", ["-c", `echo kept > ${data}/f; chown 33:34 ${data}/f; chmod 640 ${data}/f`])
      const words = ["system", "migrate", "--from", "docker", "--host", address]
      expect((await skiff.run([...words, "--dry-run"])).stdout).toContain("container web: would move")
      const moved = await skiff.run(words, { timeoutMs: 60_000 })
      expect(moved).toMatchObject({ code: 0 })
      await checkMoved(skiff, id, false)
      expect(moved.stdout).toContain("it has another range of addresses")
      expect((await skiff.run(words)).stdout).toContain("0 moved, ")
      for (const name of ["web", "plain", "beside"])
        expect(ok("inspect", "-f", "{{.State.Status}}", name)).toBe("created")
    },
    120_000,
  )

  test("says that dockerd must run where it does not", async () => {
    const words = ["system", "migrate", "--from", "docker", "--host", `unix://${join(skiff.home, "absent.sock")}`]
    const { code, stderr } = await skiff.run(words)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("dockerd must run") })
  })
})

test("without --from the store is brought up to date, as podman's does", async () => {
  const skiff = new Skiff()
  expect(await skiff.ok("system", "migrate")).toContain("up to date")
  await skiff.close()
})
