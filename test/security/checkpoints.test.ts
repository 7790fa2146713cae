/**
 * Archives of checkpoints say what their maker wants (CVE-2024-8676, 2026-50195, 2026-53489, 2026-53492): their metadata gives
 * nothing of the host, names no image anew, and no link of theirs is followed.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Canary } from "../support/canary.ts"
import { openStore } from "../support/store.ts"
import { tar, type TarEntry } from "../support/tar.ts"

const skiff = openStore()
const canary = new Canary()
afterAll(() => canary.remove())

let imageId = ""
beforeAll(async () => {
  imageId = await skiff.ok("image", "inspect", "-f", "{{.Id}}", "busybox")
})

const dump = (options: object = {}, more: object = {}) =>
  JSON.stringify({
    version: 1,
    name: "imported",
    rootfsImageID: imageId,
    rootfsImageName: "busybox",
    volumes: [],
    options: { command: ["true"], network: { kind: "none" }, ...options },
    ...more,
  })
const image: TarEntry = { name: "checkpoint/inventory.img", content: "no image" }

async function restore(entries: readonly TarEntry[], ...flags: string[]): Promise<string> {
  const file = join(skiff.home, "hostile.tar")
  writeFileSync(file, tar(entries), { mode: 0o644 })
  const { code, stderr } = await skiff.run(["container", "restore", "--import", file, ...flags])
  expect(code).not.toBe(0)
  expect(stderr).not.toMatch(/\n {4}at /)
  expect(await skiff.ok("ps", "-aq")).toBe("")
  canary.check()
  expect(readdirSync(canary.directory)).toEqual(["canary"])
  return stderr
}

describe("what an archive asks for of the host is refused by name", () => {
  test.each<[string, object, RegExp]>([
    [
      "a directory",
      { mounts: [{ type: "bind", source: "/etc", target: "/x", readOnly: false, createSource: true }] },
      /the directory "\/etc"/,
    ],
    [
      "a device",
      { devices: [{ hostPath: "/dev/sda", containerPath: "/dev/x", permissions: "rwm" }] },
      /the device "\/dev\/sda"/,
    ],
    ["all privileges", { privileged: true }, /all privileges/],
    ["a capability", { capAdd: ["SYS_ADMIN"] }, /the capability "SYS_ADMIN"/],
    ["no seccomp filter", { securityOptions: ["seccomp=unconfined"] }, /the security option/],
    ["a sysctl", { sysctls: { "kernel.shm_rmid_forced": "1" } }, /the sysctl/],
    ["the host's network", { network: { kind: "host" } }, /the host's network/],
  ])("%s", async (_, options, words) => {
    const stderr = await restore([{ name: "config.dump", content: dump(options) }, image])
    expect(stderr).toMatch(/asks for what reaches the host/)
    expect(stderr).toMatch(words)
  })
})

test("what is no option of a container counts for nothing: paths of the host, hooks, other runtimes", async () => {
  const options = {
    runtime: join(canary.directory, "evil"),
    process: { pidFile: canary.path, initPath: canary.path },
    log: { driver: "k8s-file", options: { path: canary.path } },
    secrets: [{ source: "x" }],
    userNamespace: { kind: "host" },
    namespaces: { pid: { kind: "host" } },
  }
  const stderr = await restore([{ name: "config.dump", content: dump(options) }, image])
  // it came as far as CRIU, or to its absence
  expect(stderr).toMatch(/checkpoint|CRIU|restored/)
})

test.each<[string, () => TarEntry[], RegExp]>([
  ["no config.dump", () => [image], /no checkpoint/],
  ["one that is no JSON", () => [{ name: "config.dump", content: "{" }], /no JSON/],
  ["one of another tool", () => [{ name: "config.dump", content: '{"spec":{}}' }], /not understood/],
  ["one of a megabyte", () => [{ name: "config.dump", content: " ".repeat(2 ** 20 + 1) }], /more than/],
  ["a command that is no list", () => [{ name: "config.dump", content: dump({ command: "sh" }) }], /not understood/],
  [
    "a volume whose name is a path",
    () => [{ name: "config.dump", content: dump({}, { volumes: [{ name: "../x", target: "/x" }] }) }],
    /not understood/,
  ],
  [
    "an image id that is a path",
    () => [{ name: "config.dump", content: dump({}, { rootfsImageID: "sha256:../../x" }) }],
    /not understood/,
  ],
])("an archive with %s is refused", async (_, entries, words) => {
  expect(await restore(entries())).toMatch(words)
})

test.each<[string, TarEntry[]]>([
  [
    "a link out of it for an image of CRIU's",
    [{ name: "checkpoint/core-1.img", type: "symlink", linkName: canary.path }, image],
  ],
  [
    "a link up",
    [{ name: "checkpoint/core-1.img", type: "symlink", linkName: `../../../../../..${canary.path}` }, image],
  ],
  ["a hard link", [{ name: "checkpoint/core-1.img", type: "hardlink", linkName: canary.path }, image]],
  ["a name that leads up", [{ name: "checkpoint/../../../x", content: "x" }, image]],
  ["a link for the file system", [{ name: "rootfs-diff.tar", type: "symlink", linkName: canary.path }, image]],
  ["a link for the log", [{ name: "ctr.log", type: "symlink", linkName: canary.path }, image]],
  [
    "a file system that leads out",
    [
      {
        name: "rootfs-diff.tar",
        content: tar([
          { name: "a", type: "symlink", linkName: canary.directory },
          { name: "a/canary", content: "x" },
        ]),
      },
      image,
    ],
  ],
])("an archive with %s touches nothing of the host", async (_, entries) => {
  await restore([{ name: "config.dump", content: dump() }, ...entries])
})

test("the name of an image in an archive makes no name here, nor another image take its place", async () => {
  const before = await skiff.ok("images", "--no-trunc")
  const content = dump({}, { rootfsImageID: `sha256:${"0".repeat(64)}`, rootfsImageName: "busybox" })
  expect(await restore([{ name: "config.dump", content }, image])).toMatch(
    /is not the image that the checkpoint was made of/,
  )
  expect(await skiff.ok("images", "--no-trunc")).toBe(before)
})

const kept = async () => (await skiff.run(["run", "--rm", "-v", "kept:/d", "busybox", "cat", "/d/file"])).stdout

describe("volumes that are here already", () => {
  const mounts = [{ type: "volume", source: "kept", target: "/data", readOnly: false, copyUp: false }]
  const volumes = [{ name: "kept", target: "/data" }]
  const entries = (): TarEntry[] => [
    { name: "config.dump", content: dump({ mounts }, { volumes }) },
    { name: "volumes/kept.tar", content: tar([{ name: "file", content: "the archive's" }]) },
    image,
  ]
  test.each([[[]], [["--ignore-volumes"]]])(
    "are neither written nor given to an archive's container %p",
    async (flags) => {
      await skiff.ok("volume", "create", "kept")
      await skiff.ok("run", "--rm", "-v", "kept:/d", "busybox", "sh", "-c", "echo mine > /d/file")
      expect(await restore(entries(), ...flags)).toMatch(/asks for what reaches the host: the volume "kept"/)
      expect(await kept()).toBe("mine\n")
      await skiff.ok("volume", "rm", "kept")
    },
  )

  test("and those that a failed import has made are gone with it", async () => {
    // it came as far as CRIU, or to its absence
    expect(await restore(entries())).toMatch(/checkpoint|CRIU|restored/)
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  })
})

test("CVE-2014-0047: no checkpoint is looked for, or removed, where another user has made the directory", async () => {
  const id = await skiff.ok("create", "--name", "looked-for", "busybox", "true")
  const directory = join(skiff.directory, "open-to-all")
  const planted = join(directory, id, "checkpoints", "planted")
  mkdirSync(planted, { recursive: true })
  writeFileSync(join(planted, "inventory.img"), "x")
  for (const path of [directory, join(directory, id), join(directory, id, "checkpoints"), planted])
    chownSync(path, 4242, 4242)
  for (const words of [["ls"], ["rm"]]) {
    const named = words[0] === "rm" ? ["planted"] : []
    const { code, stdout, stderr } = await skiff.run([
      "checkpoint",
      ...words,
      "--checkpoint-dir",
      directory,
      "looked-for",
      ...named,
    ])
    expect({ code: code === 0, stdout }).toEqual({ code: false, stdout: "" })
    expect(stderr).toMatch(/no directory that you alone can write to/)
  }
  expect(readdirSync(planted)).toEqual(["inventory.img"])
  rmSync(directory, { recursive: true })
  await skiff.ok("rm", "looked-for")
})
