/**
 * `image sync`: registry to directory, directory to registry, registry to registry; skopeo's trees and ours are the same.
 *
 * One user is enough.
 */
import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { hostArchitecture } from "../support/image.ts"
import { ACCOUNT, Registry, sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const registry = await sharedRegistry()
const other = hostArchitecture() === "amd64" ? "arm64" : "amd64"
const marked = (text: string, architecture = hostArchitecture()) => ({
  layers: [{ entries: [{ name: "text", content: text }] }],
  architecture,
})
registry.push("sync/app:1", marked("one"))
registry.push("sync/app:2", marked("two"), marked("two, too", other))
const app = `${registry.host}/sync/app`

const work = join(skiff.directory, "home", "sync")
mkdirSync(work, { recursive: true })
chmodSync(work, 0o777)
const path = (name: string) => join(work, name)
const sync = (...args: string[]) => skiff.ok("image", "sync", "--all", "--preserve-digests", ...args)

function skopeo(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("skopeo", args, { encoding: "utf8" })
  if (status !== 0) throw new Error(`skopeo ${args.join(" ")}: ${stderr}`)
  return stdout
}
const theirSync = (...args: string[]) =>
  skopeo("--insecure-policy", "sync", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", ...args)
const raw = (name: string) => skopeo("inspect", "--raw", "--tls-verify=false", `docker://${name}`)

/** All files below, with their bytes. */
function tree(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).toSorted()
  return Object.fromEntries(paths.map((each) => [each.slice(directory.length), readFileSync(each).toString("hex")]))
}

test.each([[[]], [["--scoped"]]])("a repository becomes the directory that skopeo makes of it %p", async (scoped) => {
  await sync(...scoped, "--src", "docker", "--dest", "dir", app, path("ours"))
  theirSync(...scoped, "--src", "docker", "--dest", "dir", app, path("theirs"))
  expect(tree(path("ours"))).toEqual(tree(path("theirs")))
  // and again: what is there stays
  await sync(...scoped, "--src", "docker", "--dest", "dir", app, path("ours"))
  for (const name of ["ours", "theirs"]) rmSync(path(name), { recursive: true })
})

test("a directory goes to a registry, and to another, every byte of it", async () => {
  theirSync("--src", "docker", "--dest", "dir", app, path("usb"))
  const to = `${registry.host}/from-dir`
  const lines = await sync("--src", "dir", "--dest", "docker", path("usb"), to)
  expect(lines.split("\n")).toEqual(["1", "2"].map((tag) => `dir:${path(`usb/app:${tag}`)} docker://${to}/app:${tag}`))
  await sync("--src", "docker", "--dest", "docker", "--append-suffix=-copy", `${to}/app`, `${registry.host}/again`)
  for (const tag of ["1", "2"]) {
    expect(raw(`${to}/app:${tag}`)).toBe(raw(`${app}:${tag}`))
    expect(raw(`${registry.host}/again/app:${tag}-copy`)).toBe(raw(`${app}:${tag}`))
  }
})

test("credentials of each side are its own; one tag is one image; --dry-run copies nothing", async () => {
  const closed = await Registry.start({ private: true })
  try {
    const to = ["--src", "docker", "--dest", "docker", `${app}:1`, closed.host]
    expect(await sync("--dry-run", ...to)).toBe(`docker://${app}:1 docker://${closed.host}/app:1`)
    const creds = `${ACCOUNT.user}:${ACCOUNT.password}`
    expect((await skiff.run(["image", "sync", ...to])).code).toBe(1)
    expect((await skiff.run(["image", "sync", "--src-creds", creds, ...to])).code).toBe(1)
    await sync("--dest-creds", creds, ...to)
    const back = ["--src-username", ACCOUNT.user, "--src-password", ACCOUNT.password]
    await sync(...back, "--src", "docker", "--dest", "dir", `${closed.host}/app`, path("closed"))
    expect(readdirSync(path("closed"))).toEqual(["app:1"])
  } finally {
    closed.stop()
  }
})

test("--keep-going copies the others, and fails in the end", async () => {
  theirSync("--src", "docker", "--dest", "dir", app, path("broken"))
  rmSync(join(path("broken"), "app:1", "manifest.json"))
  mkdirSync(join(path("broken"), "app:1", "manifest.json"))
  const args = ["--all", "--src", "dir", "--dest", "docker", path("broken"), `${registry.host}/kept`]
  expect(await skiff.run(["image", "sync", ...args])).toMatchObject({ code: 1, stdout: "" })
  const { code, stdout } = await skiff.run(["image", "sync", "--keep-going", ...args])
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("kept/app:2") })
})

test("what is neither a registry nor a directory is refused with its reason", async () => {
  for (const [args, words] of [
    [["--src", "yaml", "--dest", "dir", "a", "b"], "YAML"],
    [["--src", "dir", "--dest", "dir", "a", "b"], "both sides are directories"],
    [["--src", "dir", "--dest", "docker", join(skiff.directory, "empty"), registry.host], "no such directory"],
    [["a", "b"], "--src and --dest"],
  ] as const)
    expect((await skiff.run(["image", "sync", ...args])).stderr).toContain(words)
})
