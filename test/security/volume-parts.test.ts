/** Parts of volumes, while whoever has the volume changes it: nothing of the host is ever mounted. */
import { expect, test } from "bun:test"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../support/store.ts"
import { swapForever } from "../support/swapper.ts"

const skiff = openStore()
const STARTS = 10

test("a part that is exchanged with a link to the host, again and again, while containers start with it", async () => {
  const secret = join(skiff.directory, "secret")
  mkdirSync(secret)
  writeFileSync(join(secret, "file"), "of the host\n")
  await skiff.ok("run", "--rm", "-v", "shared:/v", "busybox", "sh", "-c", "mkdir /v/part; echo inside > /v/part/file")
  const data = await skiff.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "shared")
  symlinkSync(secret, join(data, "trap"))
  const seen = new Set<string>()
  {
    await using _ = await swapForever(join(data, "part"), join(data, "trap"))
    const mount = ["--mount", "type=volume,src=shared,dst=/p,volume-subpath=part"]
    for (let n = 0; n < STARTS; n++) {
      const { stdout } = await skiff.run(["run", "--rm", ...mount, "busybox", "cat", "/p/file"])
      seen.add(stdout.trim())
    }
  }
  expect([...seen].filter((text) => text !== "" && text !== "inside")).toEqual([])
  await skiff.ok("volume", "rm", "shared")
})

test("the same for a directory in the middle of the path, and of an overlay over the part", async () => {
  const secret = join(skiff.directory, "deep")
  mkdirSync(join(secret, "sub"), { recursive: true })
  writeFileSync(join(secret, "sub/file"), "of the host\n")
  await skiff.ok(
    "run",
    "--rm",
    "-v",
    "shared:/v",
    "busybox",
    "sh",
    "-c",
    "mkdir -p /v/a/sub; echo inside > /v/a/sub/file",
  )
  const data = await skiff.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "shared")
  symlinkSync(secret, join(data, "trap"))
  const seen = new Set<string>()
  {
    await using _ = await swapForever(join(data, "a"), join(data, "trap"))
    const mount = ["--mount", "type=volume,src=shared,dst=/p,volume-subpath=a/sub,O"]
    for (let n = 0; n < STARTS; n++) {
      const { stdout } = await skiff.run([
        "run",
        "--rm",
        ...mount,
        "busybox",
        "sh",
        "-c",
        "cat /p/file; echo x > /p/file",
      ])
      seen.add(stdout.trim())
    }
  }
  expect([...seen].filter((text) => text !== "" && text !== "inside")).toEqual([])
  await skiff.ok("volume", "rm", "shared")
})
