/** mount and unmount of containers and images: files at a path of the host, an ordinary user's inside `skiff unshare`. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { openStore, testUnless, asRootOnly, rootlessOnly } from "../support/store.ts"
import { eventually } from "../support/wait.ts"
import { user } from "../support/user.ts"

const skiff = openStore()

/** A shell that sees what is mounted; `skiff` in it is ours. */
async function shell(script: string): Promise<string> {
  const [program = "", ...rest] = skiff.command([])
  const words = user.rootless ? rest.at(-1) : program
  const body = `skiff() { '${words}' "$@"; }; set -e; ${script}`
  const { code, stdout, stderr } = await skiff.run(["unshare", "sh", "-c", body])
  if (code !== 0) throw new Error(`${script}: ${stderr}`)
  return stdout.trim()
}

/** An ordinary user's namespaces, and the mounts in them, stay while it is there, however long it takes to the next command. */
const inside = skiff.spawn(["unshare", "cat"])
afterAll(() => inside.stdin?.end())

beforeAll(() =>
  skiff.ok(
    "create",
    "--name",
    "mm",
    "-v",
    "mv:/data",
    "busybox",
    "sh",
    "-c",
    "echo by the program > /made; sleep 1000",
  ),
)

test("a container that does not run is mounted, read and written, and has what was written when it starts", async () => {
  expect(
    await shell("d=$(skiff mount mm); cat $d/etc/passwd | head -n 1; echo by the host > $d/before; skiff mount"),
  ).toMatch(/^root:x:0:0[^]*[0-9a-f]{12} +\/.*\/mounts\/[0-9a-f]{64}$/)
  await skiff.ok("start", "mm")
  expect(await skiff.ok("exec", "mm", "cat", "/before")).toBe("by the host")
  await eventually(async () => expect(await shell("cat $(skiff mount mm)/made")).toBe("by the program"))
  await skiff.ok("stop", "-t", "0", "mm")
  expect(await shell("cat $(skiff mount mm)/made")).toBe("by the program")
  expect(await shell("skiff unmount mm; skiff mount")).toBe("mm")
  expect(await shell("skiff umount mm")).toBe("mm")
})

test("a running one is mounted and stays so when it ends; its removal takes the mount away", async () => {
  await skiff.ok("run", "-d", "--name", "rr", "busybox", "sh", "-c", "echo x > /x; sleep 1000")
  await eventually(async () => expect(await shell("cat $(skiff container mount rr)/x")).toBe("x"))
  const json = JSON.parse(await shell("skiff mount --format json")) as {
    id: string
    Names: string[]
    mountpoint: string
  }[]
  expect(json.map(({ Names }) => Names.at(-1))).toEqual(["rr"])
  await skiff.ok("cp", "rr:/x", `${skiff.home}/x`)
  await skiff.ok("kill", "rr")
  await skiff.ok("wait", "rr")
  expect(await shell("cat $(skiff mount rr)/x; skiff mount | wc -l")).toBe("x\n1")
  // and files are copied beside it
  await skiff.ok("cp", "rr:/x", `${skiff.home}/x2`)
  expect(readFileSync(`${skiff.home}/x2`, "utf8")).toBe("x\n")
  expect(await shell("skiff diff rr | grep -c x")).toBe("1")
  await skiff.ok("rm", "rr")
  expect(await shell("skiff mount")).toBe("")
})

test("mount --all, unmount --all", async () => {
  await skiff.ok("create", "--name", "nn", "busybox", "true")
  expect((await shell("skiff mount --all")).split("\n")).toHaveLength(2)
  expect((await shell("skiff unmount --all")).split("\n")).toHaveLength(2)
  expect(await shell("skiff mount")).toBe("")
  await skiff.ok("rm", "nn")
})

test("an image is mounted read-only, listed, kept by prune and rmi, and unmounted", async () => {
  expect(
    await shell("d=$(skiff image mount busybox); test -x $d/bin/busybox; touch $d/x 2>/dev/null || echo read-only"),
  ).toBe("read-only")
  expect(await shell("skiff image mount")).toMatch(/busybox:latest +\/.*\/image-mounts\/[0-9a-f]{64}$/)
  expect(JSON.parse(await shell("skiff image mount --format json"))[0]).toHaveProperty("Repositories")
  const id = await skiff.ok("image", "inspect", "-f", "{{.Id}}", "busybox")
  expect(`sha256:${(await shell("skiff image unmount busybox")).replace("sha256:", "")}`).toBe(id)
  expect(await shell("skiff image mount; skiff image unmount --all")).toBe("")

  await skiff.ok("commit", "mm", "mounted:1")
  await shell("skiff image mount mounted:1")
  const refused = await shell("skiff rmi mounted:1 2>&1 || true")
  expect(refused).toContain("is mounted")
  expect(await shell("skiff image prune -af >/dev/null; skiff image mount | wc -l")).toBe("1")
  await shell("skiff rmi -f mounted:1")
  expect(await shell("skiff image mount")).toBe("")
})

testUnless(rootlessOnly)("an ordinary user outside of `skiff unshare` is told where to go", async () => {
  for (const words of [
    ["mount", "mm"],
    ["unmount", "mm"],
    ["image", "mount", "busybox"],
  ]) {
    const { code, stderr } = await skiff.run(words)
    expect(code).toBe(1)
    expect(stderr).toContain("in rootless mode, must execute `skiff unshare` first")
  }
})

testUnless(asRootOnly)("root needs no other place", async () => {
  const path = await skiff.ok("mount", "mm")
  expect(readFileSync(`${path}/before`, "utf8")).toBe("by the host\n")
  await skiff.ok("unmount", "mm")
})
