/** The runner's own eyes: what a test leaves is seen, whoever its parent was. */
import { mkdtempSync, rmdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "bun:test"
import { hostThings, newThings } from "./support/leftovers.ts"

test("a process that outlives its parents is found with its command; what has ended is reaped", () => {
  const script = `
    import { adoptOrphans } from "${import.meta.dir}/support/leftovers.ts"
    using orphans = adoptOrphans()
    // a daemon in a session of its own, and an orphan that ends at once
    const parent = Bun.spawn(["sh", "-c", "setsid sleep 4321 & (sleep 0 &) ; sleep 4322 & exit 0"])
    orphans.own(parent.pid)
    await parent.exited
    let left = []
    do left = orphans.left(); while (left.some(({ command }) => !/^sleep 432/.test(command)))
    console.log(left.map(({ command }) => command).sort().join(", "))
    const zombies = () => orphans.left().length
    for (const { pid } of left) process.kill(pid, "SIGKILL")
    while (zombies() > 0) await Bun.sleep(1)
    const ps = () => Bun.spawnSync(["ps", "-o", "stat=", "--ppid", String(process.pid)]).stdout.toString()
    // the signal of the last one may still be on its way
    for (let round = 0; ps().includes("Z") && round < 100; round++) await Bun.sleep(20)
    console.log(ps().includes("Z"))`
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", script], { timeout: 20_000 })
  expect(stderr.toString()).toBe("")
  expect(stdout.toString()).toBe("sleep 4321, sleep 4322\nfalse\n")
})

test("a directory that was not there before is named with its kind", () => {
  const before = hostThings()
  const directory = mkdtempSync(join(tmpdir(), "skiff-left-"))
  try {
    expect(newThings(before)).toContain(`directory: ${directory}`)
  } finally {
    rmdirSync(directory)
  }
  expect(newThings(before)).not.toContain(`directory: ${directory}`)
})

test.skipIf(process.getuid?.() !== 0)("so are a mount, a link and a table", () => {
  // in namespaces of its own, where nobody is disturbed
  const make = `mkdir /tmp/skiff-left; mount -t tmpfs none /tmp/skiff-left
    ip link add left0 type bridge; nft add table inet left`
  const script = `
    import { hostThings, newThings } from "${import.meta.dir}/support/leftovers.ts"
    const run = (text) => Bun.spawnSync(["sh", "-ec", text], { stdio: ["ignore", "inherit", "inherit"] })
    run("mount -t sysfs sysfs /sys")
    const before = hostThings()
    run(${JSON.stringify(make)})
    // of other tests there are directories and cgroups, too
    console.log(newThings(before).filter((line) => /left/.test(line)).join("\\n"))
    run("umount /tmp/skiff-left; rmdir /tmp/skiff-left")`
  const inside = ["unshare", "--net", "--mount", process.execPath, "-e", script]
  const { stdout, stderr } = Bun.spawnSync(inside, { timeout: 20_000 })
  expect(stderr.toString()).toBe("")
  expect(stdout.toString().trim().split("\n")).toEqual([
    "mount: /tmp/skiff-left",
    "link: left0",
    "table: table inet left",
    "directory: /tmp/skiff-left",
  ])
})
