/** Whose namespaces a container has: its own, the host's, another container's, one at a path. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { readFileSync, readlinkSync } from "node:fs"
import { noLimits, openStore } from "../support/store.ts"

const skiff = openStore()
const LINKS: Record<string, string> = {
  pid: "pid",
  ipc: "ipc",
  uts: "uts",
  network: "net",
  // who has no cgroups has no namespace of them
  ...(noLimits === false && { cgroupns: "cgroup" }),
}
const uptime = async (...args: string[]) => Number((await skiff.ok(...args, "cut", "-d.", "-f1", "/proc/uptime")) || 0)
const linkOf = async (file: string, ...flags: string[]) =>
  skiff.ok("run", "--rm", ...flags, "busybox", "readlink", `/proc/self/ns/${file}`)
const refused = async (...args: string[]) => {
  const { code, stderr } = await skiff.run(["run", "--rm", ...args, "busybox", "true"])
  expect(code).toBe(125)
  return stderr
}

describe("with a container that shares", () => {
  let pid = 0
  const inOwner = (file: string) => readlinkSync(`/proc/${pid}/ns/${file}`)

  beforeAll(async () => {
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "owner",
      "--hostname",
      "shared",
      "--ipc",
      "shareable",
      "busybox",
      "sleep",
      "600",
    )
    pid = (await skiff.inspect("owner")).State.Pid
  })
  afterAll(async () => void (await skiff.ok("rm", "-f", "owner")))

  test.each(Object.entries(LINKS))("--%s container:NAME joins it, and ns:PATH does", async (flag, file) => {
    expect(await linkOf(file, `--${flag}`, "container:owner")).toBe(inOwner(file))
    expect(await linkOf(file, `--${flag}`, `ns:/proc/${pid}/ns/${file}`)).toBe(inOwner(file))
    expect(await linkOf(file, `--${flag}`, "private")).not.toBe(inOwner(file))
  })

  test.each(Object.entries(LINKS))(
    "--%s host shares the host's, as far as an ordinary user can",
    async (flag, file) => {
      expect(await linkOf(file, `--${flag}`, "host")).toBe(readlinkSync(`/proc/self/ns/${file}`))
    },
  )

  test("the processes, the name and the memory of the other are seen", async () => {
    expect(await skiff.ok("run", "--rm", "--pid", "container:owner", "busybox", "ps")).toContain("sleep 600")
    expect(await skiff.ok("run", "--rm", "--uts", "container:owner", "busybox", "hostname")).toBe("shared")
    await skiff.ok("run", "--rm", "--ipc", "container:owner", "busybox", "sh", "-c", "echo kept > /dev/shm/file")
    expect(await skiff.ok("exec", "owner", "cat", "/dev/shm/file")).toBe("kept")
  })

  test("a rename parts nobody, and inspect shows the modes", async () => {
    const { Id } = await skiff.inspect("owner")
    const modes = ["--pid", "container:owner", "--ipc", "container:owner", "--uts", "host", "--cgroupns", "host"]
    await skiff.ok("create", "--name", "joins", ...modes, "busybox", "readlink", "/proc/self/ns/pid")
    await skiff.ok("rename", "owner", "renamed")
    try {
      expect(await skiff.ok("start", "-a", "joins")).toBe(inOwner("pid"))
      const { HostConfig } = await skiff.inspect("joins")
      expect(HostConfig).toMatchObject({
        PidMode: `container:${Id}`,
        IpcMode: `container:${Id}`,
        UTSMode: "host",
        CgroupnsMode: "host",
      })
    } finally {
      await skiff.ok("rename", "renamed", "owner")
      await skiff.ok("rm", "joins")
    }
  })
})

test("a shared memory goes with its owner, and comes again at its next start", async () => {
  await skiff.ok("run", "-d", "--name", "again", "--ipc", "shareable", "--shm-size", "1m", "busybox", "sleep", "600")
  await skiff.ok("exec", "again", "sh", "-c", "echo old > /dev/shm/file")
  await skiff.ok("restart", "-t", "0", "again")
  expect(await skiff.ok("exec", "again", "sh", "-c", "ls /dev/shm; df -k /dev/shm | tail -1")).toMatch(/^\S+ +1024 /)
  await skiff.ok("rm", "-f", "again")
})

test("who is joined must run, and the error names it", async () => {
  await skiff.ok("create", "--name", "asleep", "--ipc", "shareable", "busybox", "true")
  for (const flag of ["pid", "ipc", "uts", "network", "cgroupns"]) {
    const { code, stderr } = await skiff.run(["run", "--rm", `--${flag}`, "container:asleep", "busybox", "true"])
    expect([code, stderr]).toEqual([125, expect.stringContaining('"asleep": it is not running')])
    expect(stderr).toContain("start it: skiff start asleep")
  }
  expect(await refused("--pid", "container:nobody")).toContain('no such container: "nobody"')
  await skiff.ok("rm", "asleep")
})

test("memory that is not said to be shareable is not joined", async () => {
  await skiff.ok("run", "-d", "--name", "alone", "busybox", "sleep", "600")
  expect(await refused("--ipc", "container:alone")).toContain("non-shareable IPC")
  await skiff.ok("rm", "-f", "alone")
})

test("--ipc none has no /dev/shm", async () => {
  expect(await skiff.ok("run", "--rm", "--ipc", "none", "busybox", "sh", "-c", "ls -d /dev/shm || echo none")).toBe(
    "none",
  )
})

test("a host name belongs to its namespace: shared, it cannot be given", async () => {
  expect(await refused("--uts", "host", "--hostname", "mine")).toContain(
    "conflicting options: hostname and the UTS mode",
  )
  expect(await refused("--uts", "host", "--domainname", "mine")).toContain(
    "conflicting options: domainname and the UTS mode",
  )
  const host = readFileSync("/proc/sys/kernel/hostname", "utf8").trim()
  expect(await skiff.ok("run", "--rm", "--uts", "host", "busybox", "cat", "/etc/hostname")).toBe(host)
  const named = ["--hostname", "web", "--domainname", "example.org"]
  expect(
    await skiff.ok("run", "--rm", ...named, "busybox", "sh", "-c", "hostname; cat /proc/sys/kernel/domainname"),
  ).toBe("web\nexample.org")
})

test("what cannot be a namespace is refused with its reason", async () => {
  expect(await refused("--pid", "other")).toContain('invalid PID mode "other"')
  expect(await refused("--uts", "ns:/etc/passwd")).toContain('"/etc/passwd" is no uts namespace')
  expect(await refused("--uts", "ns:/proc/self/ns/pid")).toContain("is no uts namespace")
  expect(await refused("--mntns", "host")).toContain("a mount namespace of its own")
})

test("what runs among the host's processes is the container's alone, and ends with it", async () => {
  const script = "sleep 7531 & sleep 7532"
  await skiff.ok("run", "-d", "--name", "seen", "--pid", "host", "busybox", "sh", "-c", script)
  await skiff.ok("exec", "seen", "true")
  const commands = (await skiff.ok("top", "seen", "-eo", "pid,args")).split("\n").slice(1)
  expect(commands.map((line) => line.trim().replace(/^\d+ +/, "")).toSorted()).toEqual(["sleep 7531", "sleep 7532"])
  await skiff.ok("rm", "-f", "seen")
  const left = Bun.spawnSync(["pgrep", "-f", "sleep 753[12]"]).stdout.toString()
  expect(left).toBe("")
})

describe("clocks of its own", () => {
  const DAY = 86_400
  const OFFSET = ["--time-offset", `monotonic=${100 * DAY},boottime=2400h`]

  test("--time-offset shifts them, in the program, in an exec, after a restart, and nowhere else", async () => {
    const host = Number(readFileSync("/proc/uptime", "utf8").split(".")[0])
    expect(await uptime("run", "--rm", ...OFFSET, "busybox")).toBeGreaterThanOrEqual(host + 100 * DAY)
    await skiff.ok("run", "-d", "--name", "ahead", ...OFFSET, "busybox", "sleep", "600")
    expect(await uptime("exec", "ahead")).toBeGreaterThanOrEqual(host + 100 * DAY)
    await skiff.ok("restart", "-t", "0", "ahead")
    expect(await uptime("exec", "ahead")).toBeGreaterThanOrEqual(host + 100 * DAY)
    expect(await skiff.ok("exec", "ahead", "cat", "/proc/self/timens_offsets")).toMatch(/monotonic +8640000 +0\n/)
    expect(await uptime("run", "--rm", "busybox")).toBeLessThan(host + DAY)
  })

  test("--timens container:NAME shares them, and private has the host's time in a namespace of its own", async () => {
    expect(await linkOf("time", "--timens", "container:ahead")).toBe(
      await skiff.ok("exec", "ahead", "readlink", "/proc/self/ns/time"),
    )
    expect(await linkOf("time")).toBe(readlinkSync("/proc/self/ns/time"))
    expect(await linkOf("time", "--timens", "private")).not.toBe(readlinkSync("/proc/self/ns/time"))
    await skiff.ok("kill", "ahead")
    expect(await refused("--timens", "container:ahead")).toContain('"ahead": it is not running')
    await skiff.ok("rm", "ahead")
  })

  test("what no clock can show is refused", async () => {
    expect(await refused("--time-offset", "realtime=5")).toContain("the kernel shifts no other clock")
    expect(await refused("--time-offset", "boottime=-9000000000")).toContain("clocks of a container cannot be before")
    expect(await refused("--time-offset", "boottime=0.5s")).toContain("no whole number of seconds")
  })
})
