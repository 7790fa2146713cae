/**
 * Copies while a container swaps directories for links, and archives and trees made to lead outside (CVE-2018-15664, 2019-10152,
 * 2019-14271, 2021-41089, 2026-41567, 2026-41568, 2026-42306, moby#52948): nothing of the host is read or written.
 */
import { afterAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isSkiffError } from "../../src/base/errors.ts"
import { locateSource, locateTarget } from "../../src/container/files/locate.ts"
import { openRoot } from "../../src/sys/fs/confined.ts"
import { copyName } from "../../src/sys/fs/copy-tree.ts"
import { close } from "../../src/sys/libc.ts"
import { Canary } from "../support/canary.ts"
import { openStore, testUnless } from "../support/store.ts"
import { swapForever } from "../support/swapper.ts"
import { tar, type TarEntry } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const canary = new Canary()
afterAll(() => canary.remove())

const COPIES = 2_000
const PROCESSES = 40
const notRoot = process.getuid?.() !== 0 && "a container's files are swapped by root of the host"

const own = (path: string) => chownSync(path, user.uid, user.gid)
function hostDirectory(name: string): string {
  const path = join(skiff.home, name)
  mkdirSync(path, { recursive: true })
  own(path)
  return path
}
function hostFile(name: string, text: string): string {
  const path = join(skiff.home, name)
  writeFileSync(path, text)
  own(path)
  return path
}

/** The root of a running container, as the host sees it. */
async function rootOf(name: string): Promise<string> {
  return `/proc/${(await skiff.inspect(name)).State.Pid}/root`
}

const running = (name: string, script: string, ...flags: string[]) =>
  skiff.ok(
    "run",
    "-d",
    "--name",
    name,
    "--network",
    "none",
    ...flags,
    "busybox",
    "sh",
    "-c",
    `${script}; exec sleep 1000`,
  )

/** Nothing that a copy brought may be of the canary. */
function expectNoLoot(directory: string): void {
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const path = join(directory, name)
    const { stdout } = spawnSync("cat", [path])
    expect({ name, loot: stdout.toString().includes("alive") }).toEqual({ name, loot: false })
  }
}

describe("a directory that is swapped for a link to the host", () => {
  test(`leads no copy of ${COPIES} in or out of the tree`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "skiff-swap-"))
    const tree = join(directory, "root")
    for (const path of ["work/d", "out"]) mkdirSync(join(tree, path), { recursive: true })
    mkdirSync(join(directory, "source"))
    for (const path of ["root/work/d/canary", "source/canary"]) writeFileSync(join(directory, path), "the container's")
    symlinkSync(canary.directory, join(tree, "work/l"))
    const root = openRoot(tree)
    const host = openRoot(directory)
    try {
      await using _ = await swapForever(join(tree, "work/d"), join(tree, "work/l"))
      let copied = 0
      for (let i = 0; i < COPIES; i++) copied += Number(await copyAcross(root, host, i))
      expect(copied).toBeGreaterThan(0)
    } finally {
      for (const fd of [root, host]) close(fd)
    }
    canary.check()
    expect(readdirSync(canary.directory)).toEqual(["canary"])
    expectNoLoot(join(directory, "source"))
    rmSync(directory, { recursive: true })
  }, 60_000)

  testUnless(notRoot)(
    `leads no cp of ${2 * PROCESSES} in or out of a running container`,
    async () => {
      await running(
        "swaps",
        `mkdir -p /work/d; echo of the container > /work/d/canary; ln -s ${canary.directory} /work/l`,
      )
      const root = await rootOf("swaps")
      const file = hostFile("canary", "from outside")
      const out = hostDirectory("out")
      await using _ = await swapForever(`${root}/work/d`, `${root}/work/l`)
      const codes = new Set<number>()
      for (let i = 0; i < PROCESSES; i++) {
        const results = await Promise.all([
          skiff.run(["cp", file, "swaps:/work/d/canary"]),
          skiff.run(["cp", "-L", "swaps:/work/d/canary", join(out, `${i}`)]),
        ])
        for (const { code, stderr } of results) {
          codes.add(code)
          expect(stderr).not.toMatch(/\n {4}at /)
        }
      }
      expect([...codes].every((code) => code === 0 || code === 1)).toBe(true)
      canary.check()
      expect(readdirSync(canary.directory)).toEqual(["canary"])
      expectNoLoot(out)
      await skiff.ok("rm", "-f", "swaps")
    },
    120_000,
  )

  testUnless(notRoot)(
    "is above a volume: what is copied there goes nowhere outside (CVE-2026-41568, CVE-2026-42306)",
    async () => {
      // one container owns the outer volume and swaps in it, another is copied into, running and stopped
      await running("outer", `mkdir -p /s/d/m; ln -s ${canary.directory} /s/l`, "-v", "outer:/s")
      await skiff.ok("create", "--name", "inner", "-v", "outer:/s", "-v", "inner:/s/d/m", "busybox", "sleep", "1000")
      const file = hostFile("m", "from outside")
      const root = await rootOf("outer")
      await using _ = await swapForever(`${root}/s/d`, `${root}/s/l`)
      for (let i = 0; i < PROCESSES; i++) await skiff.run(["cp", file, "inner:/s/d/m/x"])
      canary.check()
      expect(readdirSync(canary.directory)).toEqual(["canary"])
      await skiff.ok("rm", "-f", "outer", "inner")
      await skiff.ok("volume", "rm", "outer", "inner")
    },
    120_000,
  )
})

/** One copy in and one out; whether any succeeded. What is refused has to be so in words. */
async function copyAcross(root: number, host: number, i: number): Promise<boolean> {
  const container = { fd: root, called: "the container" }
  const outside = { fd: host, called: "the host" }
  let copied = 0
  for (const copy of [
    async () => {
      using source = locateSource(outside, "/source/canary", false)
      using target = locateTarget(container, "/work/d/canary")
      await copyName(source.at, target.at, { kindChange: "refuse" })
    },
    async () => {
      using source = locateSource(container, "/work/d/canary", i % 2 === 0)
      using target = locateTarget(outside, `/source/out-${i}`)
      await copyName(source.at, target.at, { isLive: true })
    },
  ]) {
    try {
      await copy()
      copied++
    } catch (error) {
      if (!isSkiffError(error) && !/^E[A-Z]+$/.test(String((error as { code?: string }).code))) throw error
    }
  }
  return copied > 0
}

const pipe = (file: string, target: string, ...flags: string[]) => {
  const words = skiff.command(["cp", ...flags, "-", target])
  return spawnSync("sh", ["-c", `cat ${file} | "$@"`, "sh", ...words], { env: skiff.env })
}
const link = (name: string, linkName: string): TarEntry => ({ name, type: "symlink", linkName })

describe("an archive", () => {
  test.each<[string, TarEntry[]]>([
    [
      "with names that lead up",
      [
        { name: "../../../../../../../../tmp/x", content: "x" },
        { name: "d/../../x", content: "x" },
      ],
    ],
    ["with absolute names", [{ name: join(canary.directory, "canary"), content: "x" }]],
    ["with a link, then a file through it", [link("a", canary.directory), { name: "a/canary", content: "x" }]],
    [
      "with a link, then its mode (CVE-2021-41089)",
      [link("a", canary.directory), { name: "a/", type: "directory", mode: 0o777 }],
    ],
    [
      "with a hard link, then its mode",
      [
        { name: "h", type: "hardlink", linkName: canary.path },
        { name: "h", mode: 0o777, content: "x" },
      ],
    ],
    ["with a hard link that leads up", [{ name: "h", type: "hardlink", linkName: `../../../../..${canary.path}` }]],
    ["with a device", [{ name: "dev0", type: "character", device: { major: 1, minor: 1 } }]],
  ])("%s changes nothing of the host", async (_, entries) => {
    const file = hostFile("hostile.tar", "")
    writeFileSync(file, tar(entries))
    for (const flags of [[], ["--overwrite"]])
      for (const name of ["takes", "stands"]) {
        if (name === "takes") await running(name, "mkdir /into")
        else await skiff.ok("create", "--name", name, "busybox", "true")
        const { stderr } = pipe(file, `${name}:/`, ...flags)
        expect(stderr.toString()).not.toMatch(/\n {4}at /)
        canary.check()
        await skiff.ok("rm", "-f", name)
      }
    expect(existsSync("/tmp/x")).toBe(false)
    expect(readdirSync(canary.directory)).toEqual(["canary"])
  })

  test("is decompressed by nothing of the container, and no program of it is run (CVE-2026-41567, CVE-2019-14271)", async () => {
    const trojans = ["xz", "unxz", "gzip", "tar", "zstd", "unpigz", "getent"]
      .map((name) => `/bin/${name} /usr/bin/${name}`)
      .join(" ")
    const libraries =
      "/lib/libnss_files.so.2 /lib/x86_64-linux-gnu/libnss_files.so.2 /etc/ld.so.preload /etc/nsswitch.conf"
    const script = `mkdir -p /usr/bin /lib/x86_64-linux-gnu /into; for f in ${trojans} ${libraries}; do echo '#!/bin/sh
      touch /was-run' > $f; chmod 755 $f; done`
    await running("trojans", script, "--user", "0:0")
    const file = hostFile("a.tar", "")
    writeFileSync(file, tar([{ name: "inside", content: "x" }]))
    for (const how of ["xz", "gzip", "zstd", "bzip2"]) {
      const words = skiff.command(["cp", "-a", "-", "trojans:/into"])
      const traced = ["strace", "-f", "-qq", "-e", "trace=chroot,pivot_root,execve", "-o", `${file}.trace`, ...words]
      const command = user.rootless ? words : traced
      const { status, stderr } = spawnSync("sh", ["-c", `${how} < ${file} | "$@"`, "sh", ...command], {
        env: skiff.env,
      })
      expect({ how, status, stderr: stderr.toString() }).toEqual({ how, status: 0, stderr: "" })
      if (user.rootless) continue
      // a library of the container can only be loaded by who has its root
      expect(readFileSync(`${file}.trace`, "utf8")).not.toMatch(/chroot|pivot_root/)
    }
    expect((await skiff.run(["exec", "trojans", "ls", "/was-run"])).code).not.toBe(0)
    await skiff.ok("rm", "-f", "trojans")
  })
})

describe("a container's tree", () => {
  test("comes out below the destination alone, whatever its names begin with (moby#52948)", async () => {
    await running(
      "names",
      "mkdir -p /dir /dir2 '/dir/..x' '/dir/...'; echo 1 > /dir/f; echo 2 > /dir2/g; ln -s /dir2 /dir/link; ln -s ../../../../.. /dir/up",
    )
    const out = hostDirectory("names/inner/out")
    await skiff.ok("cp", "names:/dir", out)
    expect(readdirSync(join(out)).toSorted()).toEqual(["dir"])
    expect(readdirSync(join(out, "dir")).toSorted()).toEqual(["...", "..x", "f", "link", "up"])
    expect(readdirSync(join(skiff.home, "names/inner"))).toEqual(["out"])
    // a link of an earlier copy is not written through
    await skiff.ok("exec", "names", "sh", "-c", `rm /dir/link; ln -s ${canary.directory} /dir/link`)
    await skiff.ok("cp", "names:/dir", out)
    await skiff.ok("exec", "names", "sh", "-c", "rm /dir/link; mkdir /dir/link; echo x > /dir/link/canary")
    const { code, stderr } = await skiff.run(["cp", "names:/dir", out])
    expect(code).toBe(1)
    expect(stderr).toContain("cannot overwrite non-directory")
    canary.check()
    await skiff.ok("rm", "-f", "names")
  })

  test("leads by no link to the kernel's files", async () => {
    await running(
      "kernel",
      "ln -s /proc/sys/kernel/core_pattern /core; ln -s /proc /p; ln -s /sys/kernel /s; mkfifo /fifo",
    )
    const before = readFileSync("/proc/sys/kernel/core_pattern", "utf8")
    const file = hostFile("pattern", "|/bin/evil")
    for (const target of [
      "/core",
      "/p/sys/kernel/core_pattern",
      "/p/self/oom_score_adj",
      "/p/1/comm",
      "/s/uevent_helper",
    ]) {
      const { code, stderr } = await skiff.run(["cp", file, `kernel:${target}`])
      expect({ target, code }).toEqual({ target, code: 1 })
      expect(stderr).toMatch(/kernel's own|could not be found|read-only/)
      expect((await skiff.run(["cp", "-L", `kernel:${target}`, join(skiff.home, "stolen")])).code).toBe(1)
    }
    expect(readFileSync("/proc/sys/kernel/core_pattern", "utf8")).toBe(before)
    // and a FIFO is not waited for
    await skiff.ok("cp", "kernel:/fifo", join(skiff.home, "fifo"))
    await skiff.ok("rm", "-f", "kernel")
  })
})
