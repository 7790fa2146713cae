/** `update`: what changes, changes at once, is written down, and holds after a restart; what cannot be leaves all as it was. */
import { afterEach, describe, expect, test } from "bun:test"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { hostEnds } from "../support/published.ts"
import { asRootOnly, noLimits, openStore, testUnless } from "../support/store.ts"
import { eventually, freePort } from "../support/wait.ts"

const skiff = openStore()
const SERVE = "mkdir -p /www; hostname > /www/index.html; exec httpd -f -p 80 -h /www"

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

const hostConfig = async (name: string) => (await skiff.inspect(name)).HostConfig
const sleeper = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, ...flags, "busybox", "sleep", "100")
const read = (name: string, ...files: string[]) =>
  skiff.ok("exec", name, "sh", "-c", `cd /sys/fs/cgroup; cat ${files.join(" ")}`)
const serve = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, "--hostname", name, ...flags, "busybox", "sh", "-c", SERVE)
const page = (port: number) =>
  eventually(async () => (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) })).text())
const isClosed = (port: number) =>
  fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) }).then(
    () => false,
    () => true,
  )
const noV2 = noLimits || (existsSync("/sys/fs/cgroup/memory") && "this host's controllers are on cgroup v1")
const noV1 = noLimits || (!existsSync("/sys/fs/cgroup/memory") && "this host has no controllers on cgroup v1")

for (const runtime of ["crun", "runc"])
  describe(`limits (${runtime})`, () => {
    testUnless(noV1)("change in the kernel, grow and shrink, and are there after a restart", async () => {
      const files = ["memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes", "cpu/cpu.cfs_quota_us"]
      await sleeper("grown", "--runtime", runtime, "-m", "64m", "--cpus", "0.5")
      expect(await skiff.ok("update", "-m", "256m", "--cpus", "1", "--pids-limit", "20", "grown")).toBe("grown")
      const expected = "268435456\n536870912\n100000\n20"
      expect(await read("grown", ...files, "pids/pids.max")).toBe(expected)
      await skiff.ok("restart", "-t", "0", "grown")
      expect(await read("grown", ...files, "pids/pids.max")).toBe(expected)
      expect(await hostConfig("grown")).toMatchObject({ Memory: 268435456, NanoCpus: 1e9, PidsLimit: 20 })
      await skiff.ok("container", "update", "-m", "32m", "grown")
      expect(await read("grown", ...files)).toBe("33554432\n67108864\n100000")
    })

    testUnless(noV2)("change, grow and shrink, are lifted, and are there after a restart, on v2", async () => {
      const files = ["memory.max", "memory.swap.max", "cpu.max", "pids.max"]
      await sleeper("unified", "--runtime", runtime, "-m", "64m", "--cpus", "0.5")
      await skiff.ok("update", "-m", "128m", "--cpus", "0.25", "--pids-limit", "20", "unified")
      const expected = "134217728\n134217728\n25000 100000\n20"
      expect(await read("unified", ...files)).toBe(expected)
      await skiff.ok("restart", "-t", "0", "unified")
      expect(await read("unified", ...files)).toBe(expected)
      await skiff.ok("update", "-m", "32m", "unified")
      expect(await read("unified", "memory.max")).toBe("33554432")
      await skiff.ok("update", "-m", "0", "--cpus", "0", "--pids-limit", "-1", "unified")
      expect(await read("unified", ...files)).toBe("max\nmax\nmax 100000\nmax")
    })

    testUnless(noV1)("are lifted by a zero", async () => {
      await sleeper(
        "lifted",
        "--runtime",
        runtime,
        "-m",
        "64m",
        "--cpus",
        "0.5",
        "--cpu-shares",
        "512",
        "--pids-limit",
        "9",
        "--cpuset-cpus",
        "0",
      )
      await skiff.ok("update", "-m", "0", "--cpus", "0", "--cpu-shares", "0", "--pids-limit", "-1", "lifted")
      const files = ["cpu/cpu.cfs_quota_us", "cpu/cpu.shares", "pids/pids.max", "cpuset/cpuset.cpus"]
      expect(await read("lifted", ...files)).toBe("-1\n1024\nmax\n0")
      expect(Number(await read("lifted", "memory/memory.limit_in_bytes"))).toBeGreaterThan(2 ** 60)
      expect(await hostConfig("lifted")).toMatchObject({ Memory: 0, NanoCpus: 0, CpuShares: 0, CpusetCpus: "0" })
    })

    testUnless(noV1)("of a stopped container are written down, and hold from its start on", async () => {
      await skiff.ok("create", "--runtime", runtime, "--name", "later", "busybox", "sleep", "100")
      await skiff.ok("update", "-m", "64m", "--memory-swappiness", "5", "later")
      await skiff.ok("start", "later")
      expect(await read("later", "memory/memory.limit_in_bytes", "memory/memory.swappiness")).toBe("67108864\n5")
    })

    testUnless(noV1)("refused, leave the kernel and the record as they were", async () => {
      await sleeper("kept", "--runtime", runtime, "-m", "64m", "--memory-swap", "128m")
      for (const flags of [
        ["-m", "1k"],
        ["-m", "256m"],
        ["--cpus", "1000"],
        ["--cpuset-cpus", "0-2147483647"],
        ["--cpu-rt-runtime", "2000000"],
        ["--device-read-bps", "/dev/null:1mb"],
      ]) {
        const { code, stderr } = await skiff.run(["update", ...flags, "kept"])
        expect({ flags, code, ours: stderr.startsWith("skiff: ") }).toEqual({ flags, code: 1, ours: true })
      }
      expect(await read("kept", "memory/memory.limit_in_bytes", "cpu/cpu.cfs_quota_us")).toBe("67108864\n-1")
      expect(await hostConfig("kept")).toMatchObject({ Memory: 67108864, NanoCpus: 0, BlkioDeviceReadBps: [] })
    })
  })

testUnless(!noLimits && "limits hold here")("a limit is refused where no cgroup is ours, with the remedy", async () => {
  await skiff.ok("create", "--name", "free", "busybox", "true")
  const { code, stderr } = await skiff.run(["update", "-m", "64m", "free"])
  expect(code).toBe(1)
  expect(stderr).toContain("hint")
  expect((await hostConfig("free")).Memory).toBe(0)
})

test("several containers change at once, and one that is not there is told of", async () => {
  for (const name of ["first", "second"]) await skiff.ok("create", "--name", name, "busybox", "true")
  const { code, stdout, stderr } = await skiff.run(["update", "--restart", "on-failure:3", "first", "none", "second"])
  expect([code, stdout]).toEqual([1, "first\nsecond\n"])
  expect(stderr).toContain('no such container: "none"')
  for (const name of ["first", "second"])
    expect((await hostConfig(name)).RestartPolicy).toEqual({ Name: "on-failure", MaximumRetryCount: 3 })
  expect((await skiff.run(["update", "first"])).stderr).toContain("one or more flags")
})

test("podman says the id of what it changed", async () => {
  const id = await skiff.ok("create", "--name", "dialect", "busybox", "true")
  const { stdout } = await skiff.run(["update", "--restart", "no", "dialect"], { env: { SKIFF_COMPAT: "podman" } })
  expect(stdout).toBe(`${id}\n`)
})

test("a restart policy that is given to a running container acts on its end", async () => {
  await skiff.ok("run", "-d", "--name", "again", "--network", "none", "busybox", "sh", "-c", "sleep 2; exit 3")
  await skiff.ok("update", "--restart", "always", "again")
  await eventually(async () => (await skiff.inspect("again")).RestartCount > 0)
  await skiff.ok("update", "--restart", "no", "again")
  await eventually(async () => (await skiff.inspect("again")).State.Status === "exited")
})

test("one that is removed when it ends gets no restart policy", async () => {
  await skiff.ok("run", "-d", "--rm", "--name", "gone", "--network", "none", "busybox", "sleep", "100")
  const { code, stderr } = await skiff.run(["update", "--restart", "always", "gone"])
  expect([code, stderr]).toEqual([1, expect.stringContaining("AutoRemove")])
})

test("environment and ulimits are those of the next start", async () => {
  await skiff.ok("create", "--name", "set", "-e", "A=1", "-e", "B=2", "busybox", "sh", "-c", "echo $A$B$C; ulimit -n")
  await skiff.ok("update", "-e", "A=x", "-e", "C=3", "--unsetenv", "B", "--ulimit", "nofile=99", "set")
  expect(await skiff.ok("start", "-a", "set")).toBe("x3\n99")
})

test("an event tells of it", async () => {
  await skiff.ok("create", "--name", "told", "busybox", "true")
  await skiff.ok("update", "--restart", "always", "told")
  expect(
    await skiff.ok("events", "--since", "1h", "--until", "0s", "--filter", "event=update", "--format", "{{.Action}}"),
  ).toContain("update")
})

describe("published ports", () => {
  test("come and go while the container runs, and stay so after a restart", async () => {
    const [first, second] = [await freePort(), await freePort()]
    await serve("moved", "-p", `${first}:80`)
    expect(await page(first)).toBe("moved\n")
    await skiff.ok("update", "-p", `+${second}:80`, "-p", `-${first}:80`, "moved")
    expect(await page(second)).toBe("moved\n")
    await eventually(() => isClosed(first))
    expect(await skiff.ok("port", "moved")).toMatch(hostEnds(second, "80/tcp -> "))
    await skiff.ok("restart", "-t", "0", "moved")
    expect(await page(second)).toBe("moved\n")
    expect(await isClosed(first)).toBe(true)
    expect((await hostConfig("moved")).PortBindings).toEqual({
      "80/tcp": [{ HostIp: "", HostPort: `${second}` }],
    })
  })

  test("that one gives up, another may have, and after it the first again", async () => {
    const port = await freePort()
    await serve("giver", "-p", `${port}:80`)
    await skiff.ok("update", "-p", `-${port}:80`, "giver")
    await serve("taker", "-p", `${port}:80`)
    expect(await page(port)).toBe("taker\n")
    const refused = await skiff.run(["update", "-p", `${port}:80`, "giver"])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('by container "taker"')])
    await skiff.ok("rm", "-f", "taker")
    await skiff.ok("update", "-p", `${port}:80`, "giver")
    expect(await page(port)).toBe("giver\n")
  })

  test("that are taken back, a program of the host may have", async () => {
    const port = await freePort()
    await serve("host", "-p", `${port}:80`)
    await skiff.ok("update", "-p", "-80", "host")
    const script = `import http.server; http.server.HTTPServer(("", ${port}), http.server.SimpleHTTPRequestHandler).serve_forever()`
    const server = spawn("python3", ["-c", script], { stdio: "ignore", cwd: "/sys/kernel" })
    try {
      await eventually(async () => (await fetch(`http://127.0.0.1:${port}/`)).ok)
      const { code, stderr } = await skiff.run(["update", "-p", `${port}:80`, "host"])
      expect([code, stderr]).toEqual([1, expect.stringContaining("address already in use by a program of the host")])
      expect(await skiff.ok("port", "host")).toBe("")
    } finally {
      server.kill()
    }
  })

  test("may change the container port that they lead to", async () => {
    const port = await freePort()
    await serve("turned", "-p", `${port}:81`)
    await skiff.ok("update", "-p", `-${port}:81`, "-p", `+${port}:80`, "turned")
    expect(await page(port)).toBe("turned\n")
  })

  test("of no number get a free one", async () => {
    await serve("free")
    await skiff.ok("update", "-p", "80", "free")
    const port = Number((await skiff.ok("port", "free", "80")).split(":").at(-1))
    expect(await page(port)).toBe("free\n")
  })

  test("of UDP change, too", async () => {
    const port = await freePort()
    await serve("datagrams", "-p", `${port}:53/udp`)
    await skiff.ok("update", "-p", `-${port}:53/udp`, "datagrams")
    await serve("others", "-p", `${port}:53/udp`)
    expect(await skiff.ok("port", "others")).toMatch(hostEnds(port, "53/udp -> "))
    expect(await skiff.ok("port", "datagrams")).toBe("")
  })

  test("that were never published cannot be taken back, and a network of somebody else's has none", async () => {
    await serve("plain", "-p", "127.0.0.1::80")
    const { code, stderr } = await skiff.run(["update", "-p", "-4711:81", "plain"])
    expect([code, stderr]).toEqual([1, expect.stringContaining("published: 127.0.0.1:80/tcp")])
    await skiff.ok("run", "-d", "--name", "joined", "--network", "container:plain", "busybox", "sleep", "100")
    expect((await skiff.run(["update", "-p", "80", "joined"])).stderr).toContain("no network of its own")
  })

  test.each(["update:recorded", "update:ports-changed", "update:applied"])(
    "a change killed at %s is finished by the next command",
    async (point) => {
      const [first, second] = [await freePort(), await freePort()]
      await serve("killed", "-p", `${first}:80`)
      const flags = ["-p", `+${second}:80`, "-p", `-${first}:80`, ...(noLimits ? [] : ["--pids-limit", "77"])]
      await skiff.run(["update", ...flags, "killed"], { env: { SKIFF_CRASH_AT: point } })
      await skiff.ok("ps")
      expect(await page(second)).toBe("killed\n")
      await eventually(() => isClosed(first))
      expect(await skiff.ok("port", "killed")).toMatch(hostEnds(second, "80/tcp -> "))
      const script = "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; true"
      if (!noLimits) expect(await skiff.ok("exec", "killed", "sh", "-c", script)).toBe("77")
    },
  )

  testUnless(asRootOnly)("a holder of ports that was killed is missed by nobody but its port", async () => {
    const port = await freePort()
    await serve("held")
    await skiff.ok("update", "-p", `${port}:80`, "held")
    expect(await page(port)).toBe("held\n")
    await skiff.ok("rm", "-f", "held")
    await serve("next", "-p", `${port}:80`)
    expect(await page(port)).toBe("next\n")
  })
})
