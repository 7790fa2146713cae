/** Capabilities, groups, ids and namespaces: no more than was declared, however a program comes into a container. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Canary } from "../support/canary.ts"
import { BUSYBOX, type ImageSpec } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"
import type { TarEntry } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const asRoot = testUnless(asRootOnly)
const NONE = "0".repeat(16)
const STATUS = ["grep", "-E", "^(Cap|Groups)", "/proc/self/status"]

beforeAll(async () => void (await skiff.ok("run", "-d", "--name", "lives", "--privileged", "busybox", "sleep", "600")))

/** Every way into a container, as words before the program. */
const WAYS: Record<string, string[]> = {
  run: ["run", "--rm", "busybox"],
  "run -u": ["run", "--rm", "-u", "1000", "busybox"],
  "run -u NAME": ["run", "--rm", "-u", "user", "busybox"],
  "run --privileged": ["run", "--rm", "--privileged", "busybox"],
  "run --privileged -u": ["run", "--rm", "--privileged", "-u", "1000", "busybox"],
  "run --cap-add -u": ["run", "--rm", "--cap-add", "ALL", "-u", "1000", "busybox"],
  exec: ["exec", "lives"],
  "exec -u": ["exec", "-u", "1000", "lives"],
  "exec --privileged": ["exec", "--privileged", "lives"],
  "exec --privileged -u": ["exec", "--privileged", "-u", "1000", "lives"],
}
const statusOf = async (words: readonly string[]) =>
  Object.fromEntries(
    (await skiff.ok(...words, ...STATUS)).split("\n").map((line) => line.split(/:\s*/).map((word) => word.trim())),
  ) as Record<string, string>

describe("CVE-2022-24769, 27649 … 27652, 29162, 2016-8867: what a program of another user could gain again", () => {
  test.each(Object.entries(WAYS))("%s: no inheritable and no ambient capability", async (_, words) => {
    const { CapInh, CapAmb, CapEff } = await statusOf(words)
    expect([CapInh, CapAmb]).toEqual([NONE, NONE])
    if (words.includes("-u")) expect(CapEff).toBe(NONE)
  })
})

describe("CVE-2022-2989, 2990, 2995, 36109, 2023-25173: groups that pass a negative permission", () => {
  test.each(Object.entries(WAYS))("%s: exactly the declared groups", async (_, words) => {
    const { Groups = "" } = await statusOf(words)
    const isUser = words.includes("-u")
    expect(Groups.split(" ").filter(Boolean)).toEqual(isUser ? ["1000", "2000"] : ["0"])
  })

  test("a file that a group of the user may not read is not read, although others may", async () => {
    const script = "echo secret > /tmp/f; chmod 0704 /tmp/f; chgrp 2000 /tmp/f; exec sleep 600"
    await skiff.ok("run", "-d", "--name", "negative", "busybox", "sh", "-c", script)
    const read = async (...flags: string[]) => (await skiff.run(["exec", ...flags, "negative", "cat", "/tmp/f"])).stdout
    expect(await read("-u", "1000")).toBe("")
    expect(await read("-u", "1001")).toBe("secret\n")
    await skiff.ok("rm", "-f", "negative")
  })
})

asRoot("CVE-2021-20188: root's file is closed to another user, however privileged his container", async () => {
  const file = join(skiff.directory, "roots")
  writeFileSync(file, "secret", { mode: 0o600 })
  const words = ["run", "--rm", "--privileged", "-u", "1000", "-v", `${file}:/f`, "busybox", "cat", "/f"]
  expect(await skiff.run(words)).toMatchObject({ code: 1, stdout: "" })
  rmSync(file)
})

asRoot("CVE-2021-21284: root of a user namespace neither reads nor writes the engine's files", async () => {
  const look = "ls /s; cat /s/skiff.db; touch /s/new; ls /r; for f in /s/* /r/*; do echo $f; done"
  const binds = ["-v", `${skiff.root}:/s`, "-v", `${skiff.runRoot}:/r`]
  const { stdout, stderr } = await skiff.run(["run", "--rm", "--userns", "auto", ...binds, "busybox", "sh", "-c", look])
  expect(stdout).toBe("/s/*\n/r/*\n")
  expect(stderr.match(/Permission denied/g)?.length).toBeGreaterThanOrEqual(4)
  expect(readdirSync(skiff.root)).not.toContain("new")
})

asRoot("another user of the host does not reach the root of a container with ids of its own", async () => {
  await skiff.ok("run", "-d", "--name", "mapped", "--userns", "auto", "busybox", "sleep", "600")
  const { Id } = await skiff.inspect("mapped")
  const path = join(skiff.runRoot, "containers", Id, "rootfs/bin/busybox")
  expect(existsSync(path)).toBe(true)
  const other = Bun.spawnSync(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", path])
  expect([other.exitCode, other.stderr.toString()]).toEqual([2, expect.stringContaining("Permission denied")])
  await skiff.ok("rm", "-f", "mapped")
})

test("CVE-2022-0492, 2023-25809: nobody inside makes a release agent of the host", async () => {
  const script =
    "mkdir /tmp/c; mount -t cgroup -o memory none /tmp/c; unshare -Urm true; find /sys/fs/cgroup -name release_agent"
  for (const flags of [[], ["-u", "1000"], ["--systemd", "always"]]) {
    const words = ["run", "--rm", ...flags, "busybox", "sh", "-c", `${script}; echo end`]
    const { stdout, stderr } = await skiff.run(words)
    expect(stdout).toBe("end\n")
    expect(stderr).toMatch(/mount: .*(?:denied|permitted)/)
    expect(stderr).toMatch(/unshare.*(?:denied|permitted)/)
  }
})

test("CVE-2020-15257: no abstract socket of the engine is reached with the host's network", async () => {
  const before = new Set(abstractSockets())
  await skiff.ok("run", "-d", "--name", "on-host", "--network", "host", "busybox", "sleep", "600")
  const inside = await skiff.ok("exec", "on-host", "cat", "/proc/net/unix")
  expect(inside.split("\n").filter((line) => / @/.test(line) && !before.has(line.split(" @")[1] ?? ""))).toEqual([])
  await skiff.ok("rm", "-f", "on-host")
})

function abstractSockets(): string[] {
  return readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" @")[1] ?? [])
}

test("CVE-2022-0811, 2024-3154: neither a sysctl nor an annotation carries a second setting", async () => {
  const pattern = readFileSync("/proc/sys/kernel/core_pattern", "utf8")
  for (const flags of [
    ["--sysctl", "kernel.shm_rmid_forced=1+kernel.core_pattern=|/x"],
    ["--annotation", "a=b\nkernel.core_pattern=|/x"],
    ["--annotation", "org.systemd.property.ExecStartPre=/x"],
    ["--hostname", "a\nkernel.core_pattern=|/x"],
  ])
    expect((await skiff.run(["run", "--rm", ...flags, "busybox", "true"])).code).toBe(125)
  expect(readFileSync("/proc/sys/kernel/core_pattern", "utf8")).toBe(pattern)
})

test("CVE-2024-3056: memory that was shared is freed with its owner", async () => {
  await skiff.ok("run", "-d", "--name", "filler", "--ipc", "shareable", "busybox", "sleep", "600")
  await skiff.ok(
    "run",
    "--rm",
    "--ipc",
    "container:filler",
    "busybox",
    "dd",
    "if=/dev/zero",
    "of=/dev/shm/f",
    "bs=1M",
    "count=32",
  )
  await skiff.ok("kill", "filler")
  await skiff.ok("start", "filler")
  expect(await skiff.ok("exec", "filler", "ls", "/dev/shm")).toBe("")
  await skiff.ok("rm", "-f", "filler")
})

const push = async (name: string, entries: TarEntry[], config: ImageSpec["config"] = {}) =>
  (await sharedRegistry()).push(`identity/${name}:1`, {
    ...BUSYBOX,
    layers: [...BUSYBOX.layers, { entries }],
    config: { ...BUSYBOX.config, ...config },
  })
const link = (linkName: string): TarEntry => ({ name: "etc/passwd", type: "symlink", linkName })

describe("passwd and group of an image", () => {
  const canary = new Canary()
  afterAll(() => canary.remove())
  const ADD = ["--passwd", "-u", "4321"]

  test.each([
    ["absolute", link(canary.path)],
    ["relative", link(`../../../..${canary.path}`)],
    ["magic", link("/proc/1/environ")],
  ])("CVE-2024-9676: a link %s stays inside, and what it names is not read", async (name, entry) => {
    const image = await push(`link-${name}`, [entry])
    const { stdout } = await skiff.run(["run", "--rm", ...ADD, image, "cat", "/etc/passwd"])
    expect(stdout).not.toContain("alive")
    canary.check()
    await skiff.ok("rmi", image)
  })

  test("CVE-2024-9341: a FIFO is not waited for", async () => {
    const image = await push("fifo", [{ name: "etc/passwd", type: "fifo" }])
    const { code, stderr } = await skiff.run(["run", "--rm", ...ADD, image, "true"], { timeoutMs: 20_000 })
    expect([code, stderr]).toEqual([125, expect.stringContaining("is not a regular file")])
    await skiff.ok("rmi", image)
  })

  test("CVE-2022-4318: no field of a line becomes a second line", async () => {
    const image = await push("workdir", [], { WorkingDir: "/x\nroot2::0:0::/:/bin/sh\ny:z" })
    const { stdout } = await skiff.run(["run", "--rm", ...ADD, image, "cat", "/etc/passwd"])
    expect(stdout.split("\n").filter((line) => line.startsWith("root2"))).toEqual([])
    expect(stdout.trim().split("\n")).toHaveLength(3)
    await skiff.ok("rmi", image)
  })

  test("CVE-2022-4318: neither does a character one byte of which is a colon or a line's end", async () => {
    // U+010A and U+013A: cut to one byte they are a newline and a colon
    const WorkingDir = "/x\u010Aroot2\u013A\u013A0\u013A0\u013A\u013A/\u013A/bin/sh\u010Ay"
    const image = await push("wide", [], { WorkingDir })
    const { stdout } = await skiff.run(["run", "--rm", ...ADD, image, "cat", "/etc/passwd"])
    const lines = stdout.trim().split("\n")
    expect(lines.filter((line) => line.startsWith("root2"))).toEqual([])
    expect(lines).toHaveLength(3)
    expect(lines.at(-1)).toContain(WorkingDir)
    await skiff.ok("rmi", image)
  })

  test("CVE-2026-47262: one of gigabytes is refused, and not read", async () => {
    const huge = "x:x:1:1::/:/bin/sh\n".repeat(60_000)
    const image = await push("huge", [{ name: "etc/passwd", content: huge }])
    const { code, stderr } = await skiff.run(["run", "--rm", ...ADD, image, "true"])
    expect([code, stderr]).toEqual([125, expect.stringMatching(/are not read|too long/)])
    await skiff.ok("rmi", image)
  })
})

test("a directory in an image's place is a hostile tree as well", async () => {
  const tree = join(skiff.directory, "hostile")
  const canary = new Canary()
  mkdirSync(join(tree, "bin"), { recursive: true })
  mkdirSync(join(tree, "tmp"))
  writeFileSync(join(tree, "bin/busybox"), readFileSync("/bin/busybox"), { mode: 0o755 })
  Bun.spawnSync(["ln", "-s", canary.directory, join(tree, "etc")])
  Bun.spawnSync(["ln", "-s", canary.directory, join(tree, "work")])
  for (const path of [tree, join(tree, "bin"), join(tree, "tmp")]) {
    chownSync(path, user.uid, user.gid)
    chmodSync(path, 0o755)
  }
  for (const argument of [tree, `${tree}:O`])
    await skiff.run(["run", "--rm", "--rootfs", "-w", "/work/made", argument, "/bin/busybox", "true"])
  canary.check()
  expect(readdirSync(canary.directory)).toEqual(["canary"])
  canary.remove()
  rmSync(tree, { recursive: true, force: true })
})
