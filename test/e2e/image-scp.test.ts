/** `image scp` between stores: the way to the other host is a program `ssh` that runs the line here, as sshd would there. */
import { beforeAll, expect, test } from "bun:test"
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { executable } from "../support/skiff.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"

const here = openStore()
const there = openStore()
const bin = join(here.home, "bin")
const asked = join(here.home, "asked")
const env = { PATH: `${bin}:${process.env.PATH}` }
const scp = async (...words: string[]) => await here.run(["image", "scp", ...words], { env })
const idOf = async (store: typeof here, name: string) => await store.ok("image", "inspect", "--format", "{{.Id}}", name)

function program(name: string, text: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
  chmodSync(join(bin, name), 0o755)
}

beforeAll(async () => {
  mkdirSync(bin)
  writeFileSync(asked, "")
  chownSync(asked, user.uid, user.gid)
  program("ssh", `echo "$@" >> ${asked}\nwhile [ "$1" != -- ]; do shift; done\n[ "$2" = down ] && exit 255\neval "$3"`)
  const variables = Object.entries(there.env).map(([name, value]) => `${name}=${value}`)
  program("skiff", `exec env ${variables.join(" ")} ${executable()} "$@"`)
  await here.ok("tag", "busybox", "app:1")
})

test("an image goes to another host and has the same id and name there", async () => {
  const { code, stdout } = await scp("app:1", "anna@there:2222::")
  expect([code, stdout]).toEqual([0, expect.stringContaining("Loaded image: app:1")])
  expect(await idOf(there, "app:1")).toBe(await idOf(here, "app:1"))
  expect(readFileSync(asked, "utf8")).toStartWith("-p 2222 -- anna@there sh -c 'for p in skiff podman docker;")
})

test("an image comes from another host, and from one to a third", async () => {
  await there.ok("tag", "busybox", "theirs:2")
  expect(await scp("-q", "there::theirs:2")).toMatchObject({ code: 0, stdout: "" })
  expect(await idOf(here, "theirs:2")).toBe(await idOf(there, "theirs:2"))
  expect(await scp("one::theirs:2", "two::")).toMatchObject({ code: 0 })
})

test("what fails at either end is told, and leaves no image", async () => {
  for (const words of [["there::no-such:1"], ["no-such:1", "there::"], ["app:1", "down::"], ["down::app:9"]]) {
    const { code, stderr } = await scp(...words)
    expect([words, code, stderr]).toEqual([words, 1, expect.stringContaining("the image was not copied")])
  }
  expect((await scp("--program", "no-such-engine", "app:1", "there::")).stderr).toContain(
    "not installed: no-such-engine",
  )
  expect((await here.run(["image", "exists", "no-such:1"])).code).toBe(1)
})

test.each([
  [["app:1"], "both ends are this store"],
  [["there::"], "which image?"],
  [["app:1", "there::other"], "the image keeps its name there"],
  [["-q", "--", "-oProxyCommand=x::app"], "invalid host"],
])("%j is refused", async (words, message) => {
  const { code, stderr } = await scp(...words)
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining(message)])
})
