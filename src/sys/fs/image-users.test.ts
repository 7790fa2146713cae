import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { resolveOwner, resolveUser } from "./image-users.ts"

/** A root with these files in /etc. */
function root(files: Record<string, string>): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "skiff-users-"))
  mkdirSync(join(path, "etc"))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, "etc", name), text)
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

const passwd =
  "root:x:0:0:r:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n1000:x:0:0::/evil:/bin/sh\nbig:x:4294967296:0::/:\n"
const group = "root:x:0:\napp:x:1001:\nextra:x:1002:other,app\nbad:x:-1:app2\n"

test("a user is a name, or digits that are never a name; groups are those listed", () => {
  using one = root({ passwd, group })
  const of = (text: string) => resolveUser(one.path, text)
  expect(of("")).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/root" })
  expect(of("app")).toEqual({ uid: 1000, gid: 1001, additionalGids: [1001, 1002], home: "/home/app" })
  expect(of("1000")).toMatchObject({ uid: 1000, home: "/home/app" })
  expect(of("77")).toEqual({ uid: 77, gid: 0, additionalGids: [0], home: "/" })
  expect(of("app:extra")).toMatchObject({ uid: 1000, gid: 1002, additionalGids: [1002] })
  for (const text of ["4294967296", "-1", "2147483648:0", "0:4294967295", "big", "none", "a:b:c", "x\ny"])
    expect(() => of(text)).toThrow()
})

test("groups that the files list the user in count also with a group of his own, or never, as asked", () => {
  using one = root({ passwd, group })
  const groups = (text: string, listed: "always" | "never") =>
    resolveUser(one.path, text, ["2000"], { listed }).additionalGids
  expect(groups("app:77", "always")).toEqual([77, 1002, 2000])
  expect(groups("app", "never")).toEqual([1001, 2000])
  expect(groups("1000:77", "never")).toEqual([77, 2000])
})

test("an owner's number is its group too, and a name that is not there is root's and told", () => {
  using one = root({ passwd, group })
  const unknown: string[] = []
  const of = (text: string) => resolveOwner(one.path, text, (name) => unknown.push(name))
  expect([of("5"), of("5:6"), of("app"), of("app:7"), of(":app"), of("1000")]).toEqual([
    { uid: 5, gid: 5 },
    { uid: 5, gid: 6 },
    { uid: 1000, gid: 1001 },
    { uid: 1000, gid: 7 },
    { uid: 0, gid: 1001 },
    { uid: 1000, gid: 1000 },
  ])
  expect([of("who"), of("app:who")]).toEqual([
    { uid: 0, gid: 0 },
    { uid: 1000, gid: 1001 },
  ])
  expect(unknown).toEqual(["who", "who"])
  for (const text of ["4294967296", "a:b:c", "0:-5", "x\ny"]) expect(() => of(text)).toThrow()
})

test("passwd and group of the image are neither followed out, nor waited for, nor read without end", () => {
  using one = root({})
  const etc = (name: string) => join(one.path, "etc", name)
  symlinkSync("/etc/passwd", etc("passwd"))
  expect(() => resolveUser(one.path, "daemon")).toThrow()
  rmSync(etc("passwd"))
  spawnSync("mkfifo", [etc("passwd")])
  expect(() => resolveUser(one.path, "daemon")).toThrow("not a regular file")
  rmSync(etc("passwd"))
  writeFileSync(etc("passwd"), passwd)
  writeFileSync(etc("group"), "")
  truncateSync(etc("group"), 5 * 2 ** 30)
  expect(() => resolveUser(one.path, "app:extra")).toThrow("more than")
  expect(() => resolveOwner(one.path, "app:extra", () => {})).toThrow("more than")
})
