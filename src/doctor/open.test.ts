import { expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { defaultPaths } from "../sys/fs/paths.ts"
import { hostChecks } from "./open.ts"
import { freeRange } from "./user.ts"
import { isOlder, parseVersion } from "./program-version.ts"

test("every requirement of the host is looked at, and what is missing has its repair", async () => {
  const checks = await hostChecks(defaultPaths())
  const names = checks.map(({ name }) => name)
  for (const name of [
    "runtime",
    "conmon",
    "seccomp",
    "nftables",
    "overlay",
    "cgroups",
    "subuid",
    "/dev/net/tun",
    "pasta",
  ])
    expect(names).toContain(name)
  expect(new Set(names).size).toBe(names.length)
  for (const { status, detail } of checks) {
    expect(detail).not.toBe("")
    expect(detail).not.toContain("cannot be checked")
    expect(["ok", "missing", "warning", "not needed"]).toContain(status)
  }
  expect(readdirSync("/var/lib").filter((name) => name.startsWith(".skiff-doctor"))).toEqual([])
})

test("a host with nothing gets an answer for each, and a command for what can be installed", async () => {
  // an empty /usr/bin: no program is found, none can be run
  const script = `import { hostChecks } from "${import.meta.dir}/open.ts"
    console.log(JSON.stringify(await hostChecks({ root: "/var/lib/skiff", runRoot: "/run/skiff" })))`
  if (process.getuid?.() !== 0) return console.log("skipped: not root")
  const hide = 'for f in /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin; do mount -t tmpfs none "$f" || exit; done'
  // the shell's own words only: after the mounts there is no program to start but Bun, which descriptor 9 still names
  const inside = `exec 9<"$0"; ${hide}; exec /proc/self/fd/9 -e "$1"`
  const { stdout, stderr } = Bun.spawnSync([
    "unshare",
    "--mount",
    "bash",
    "-c",
    prepared(inside),
    process.execPath,
    script,
  ])
  const checks = JSON.parse(stdout.toString() || `"${stderr.toString()}"`) as Awaited<ReturnType<typeof hostChecks>>
  const missing = checks.filter(({ status }) => status === "missing").map(({ name }) => name)
  expect(missing).toEqual(expect.arrayContaining(["runtime", "conmon", "nftables", "util-linux"]))
  for (const { name, repair } of checks.filter(({ name: one }) => missing.includes(one)))
    expect({ name, repair }).toEqual({ name, repair: expect.stringMatching(/^apt-get install -y \S+$/) })
})

/** mount(8) itself must be there until the last directory is hidden. */
function prepared(script: string): string {
  return script.replace("for f in", "exec 8</usr/bin/mount; for f in").replaceAll("do mount", "do /proc/self/fd/8")
}

test.each([
  ["crun version 1.8.1\ncommit: f8a0", "1.8.1"],
  ["tini version 0.1.7_catatonit", "0.1.7"],
  ["nftables v1.0.6 (Lester Gooch #5)", "1.0.6"],
  ["pasta 2023_03_29.b10b983", "2023_03_29"],
  ["pasta unknown version\nGNU GPL, version 2.0", undefined],
])("version of %p is %p", (text, version) => {
  expect(parseVersion(text)).toBe(version)
})

test("versions are compared number by number", () => {
  expect(isOlder("2.1.5", [2, 1, 6])).toBe(true)
  expect(isOlder("2.1.10", [2, 1, 6])).toBe(false)
  expect(isOlder("2.1.6", [2, 1, 6])).toBe(false)
  expect(isOlder("3.0", [2, 1, 6])).toBe(false)
})

test("a range to add lies above all ranges that somebody has", () => {
  expect(freeRange("")).toBe("100000-165535")
  expect(freeRange("ann:100000:65536\nbob:165536:65536\n")).toBe("231072-296607")
})
