import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { busyboxRoot, obtainBusybox } from "./busybox.ts"
import { isStaticBinary } from "../../sys/static-binary.ts"
import { ustar } from "./ustar.ts"

let directory = ""
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "skiff-bootstrap-test-"))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function tarOf(entries: Parameters<typeof ustar>[0]): Buffer {
  return Buffer.concat([...ustar(entries, 1_700_000_000)])
}

test("GNU tar reads what ustar() writes", () => {
  const content = Buffer.alloc(513, "x")
  const tar = tarOf([
    { type: "directory", path: "tmp", mode: 0o1777 },
    { type: "file", path: "tmp/é", content, mode: 0o600 },
    { type: "link", path: "l", target: "tmp/é" },
  ])
  expect(tar.length % 512).toBe(0)
  writeFileSync(`${directory}/t.tar`, tar)
  const extract = Bun.spawnSync(["tar", "--extract", "--preserve-permissions", "--file", "t.tar"], { cwd: directory })
  expect(extract.stderr.toString()).toBe("")
  expect(readFileSync(`${directory}/l`)).toEqual(content)
  expect(statSync(`${directory}/tmp`).mode & 0o7777).toBe(0o1777)
  expect(statSync(`${directory}/tmp/é`)).toMatchObject({ mode: 0o100600, mtimeMs: 1_700_000_000_000 })
})

test("a name that does not fit is refused, not cut", () => {
  expect(() => tarOf([{ type: "directory", path: "x".repeat(100) }])).toThrow("too long")
})

test("busybox runs in its root file system, and the same package gives the same bytes", async () => {
  const busybox = await obtainBusybox()
  const tar = tarOf(busyboxRoot(busybox))
  expect(tarOf(busyboxRoot(await obtainBusybox())).equals(tar)).toBe(true)
  if (process.getuid?.() !== 0) return console.log("skipped: chroot needs root")
  writeFileSync(`${directory}/t.tar`, tar)
  Bun.spawnSync(["tar", "--extract", "--preserve-permissions", "--file", "t.tar"], { cwd: directory })
  const script = "id -un; stat -c %a /tmp /etc/shadow; /usr/bin/env echo hi; grep -vc ':\\*:' /etc/shadow"
  const inside = Bun.spawnSync(["chroot", directory, "/bin/sh", "-c", script])
  expect(inside.stdout.toString()).toBe("root\n1777\n600\nhi\n0\n")
})

test("isStaticBinary() tells a program that needs its libraries, and what is no program", () => {
  writeFileSync(`${directory}/short`, "\x7fELF")
  expect(["/bin/sh", "/etc/passwd", "/nowhere", `${directory}/short`].map(isStaticBinary)).toEqual(Array(4).fill(false))
})
