/** A store whose disk is full says so, breaks nothing, and works again when there is space. */
import { afterAll, expect } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"
import { asRootOnly, testUnless } from "../support/store.ts"

const skiff = new Skiff()

testUnless(asRootOnly)("pull and run on a full disk", async () => {
  mkdirSync(skiff.root)
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", skiff.root])
  expect(mounted.status).toBe(0)
  const registry = await sharedRegistry()
  const small = registry.push("disk/small:1", BUSYBOX)
  const large = registry.push("disk/large:1", {
    layers: [...BUSYBOX.layers, { entries: [{ name: "large", content: Buffer.alloc(30_000_000) }] }],
  })
  await skiff.ok("pull", "-q", small)

  const tooLarge = await skiff.run(["pull", large])
  expect(tooLarge.code).toBe(1)
  expect(tooLarge.stderr).toMatch(/no space|disk.*full/i)
  expect(await skiff.ok("run", "--rm", small, "echo", "still works")).toBe("still works")

  await skiff.ok("create", "--name", "spare", small)
  writeFileSync(join(skiff.root, "filler"), "")
  spawnSync("dd", ["if=/dev/zero", `of=${skiff.root}/filler`, "bs=64k"])
  const full = await skiff.run(["run", "--rm", small, "true"])
  if (full.code !== 0) {
    expect(full.code).toBe(125)
    expect(full.stderr).toMatch(/no space|disk.*full/i)
  }
  // removing is what frees space: it must go through
  await skiff.ok("rm", "spare")
  rmSync(join(skiff.root, "filler"))
  expect(await skiff.ok("run", "--rm", small, "echo", "works again")).toBe("works again")
})

afterAll(async () => {
  spawnSync("umount", [skiff.root])
  await skiff.close()
}, 60_000)
