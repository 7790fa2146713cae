/** Whose the files of volumes and binds are, inside and on the host, where the program is not root. */
import { expect, test } from "bun:test"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"
import type { TarEntry } from "../support/tar.ts"

const skiff = openStore()
const run = (script: string, ...flags: string[]) => skiff.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)

test("a new volume belongs to who the program runs as, and keeps its owner after", async () => {
  const flags = ["-v", "first:/data", "--user", "1000:100"]
  expect(await run("touch /data/new && stat -c %u:%g /data /data/new", ...flags)).toBe("1000:100\n1000:100")
  expect(await run("stat -c %u:%g /data", "-v", "first:/data")).toBe("1000:100")
  await run("rm /data/new", ...flags)
  // empty again, and not root's: somebody may count on its owner
  expect(await run("stat -c %u:%g /data", "-v", "first:/data", "--user", "7")).toBe("1000:100")
  await skiff.ok("volume", "rm", "first")
})

test("a new volume over a directory of root's with files belongs to the program too, its files to whom the image says", async () => {
  expect(await run("stat -c %u /etc /etc/passwd", "-v", "filled:/etc", "--user", "1000")).toBe("1000\n0")
  await skiff.ok("volume", "rm", "filled")
})

test("the owner that an image gives to the directory stays, and so does root's of a program of root's", async () => {
  const registry = await sharedRegistry()
  const entries: TarEntry[] = [{ name: "data/", type: "directory", uid: 70, gid: 71 }]
  const image = await registry.push("owners/data:1", { ...BUSYBOX, layers: [...BUSYBOX.layers, { entries }] })
  const words = [image, "stat", "-c", "%u:%g", "/data"]
  expect(await skiff.ok("run", "--rm", "-q", "--user", "1000", "-v", "given:/data", ...words)).toBe("70:71")
  expect(await run("stat -c %u:%g /data", "-v", "roots:/data")).toBe("0:0")
  await skiff.ok("volume", "rm", "given", "roots")
  await skiff.ok("rmi", image)
})

test("nocopy gives the directory, and no files", async () => {
  expect(await run("ls /etc; stat -c %u /etc", "-v", "empty:/etc:nocopy", "--user", "1000")).toMatch(
    /^(?:(?!passwd).)*1000$/s,
  )
  await skiff.ok("volume", "rm", "empty")
})
