/** Sizes of volumes, by project quotas of a file system made for the test; where the kernel has none, the refusal. */
import { afterAll, expect } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"

const skiff = openStore()

/** An ext4 with project quotas in a file; undefined where the kernel cannot mount one. */
function quotaFileSystem(): string | undefined {
  if (asRootOnly !== false) return undefined
  const place = mkdtempSync(join(tmpdir(), "skiff-quota-"))
  const [image, target] = [join(place, "image"), join(place, "mounted")]
  mkdirSync(target)
  const script = `truncate -s 256M "$1" && mkfs.ext4 -q -O project,quota -E quotatype=prjquota "$1" && mount -o loop,prjquota "$1" "$2"`
  const { status } = spawnSync("sh", ["-c", script, "sh", image, target], { stdio: "ignore" })
  afterAll(() => {
    if (status === 0) spawnSync("umount", [target])
    rmSync(image)
    rmdirSync(target)
    rmdirSync(place)
  })
  return status === 0 ? target : undefined
}

const place = quotaFileSystem()
const noQuotas = asRootOnly || (place === undefined && "this kernel mounts no ext4 with project quotas")

testUnless(noQuotas)("a volume has no more than its size and its inodes, and its project goes with it", async () => {
  const env = { SKIFF_ROOT: join(place ?? "", "root") }
  const ok = async (...words: string[]) => {
    const { code, stdout, stderr } = await skiff.run(words, { env })
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }
  await ok("pull", "-q", (await skiff.ok("image", "inspect", "-f", "{{index .RepoTags 0}}", "busybox")) || "busybox")
  const [image = ""] = (await ok("images", "-q")).split("\n")
  await ok("volume", "create", "-o", "size=1m", "-o", "o=inodes=20", "small")
  const fill = "dd if=/dev/zero of=/v/x bs=64k count=64 2>&1 | grep -c 'No space left\\|quota'; stat -c %s /v/x"
  expect(await ok("run", "--rm", "-v", "small:/v", image, "sh", "-c", fill)).toMatch(/^1\n\d{6,7}$/)
  // what is restored is of the volume's size too
  await ok("volume", "snapshot", "small", "s")
  await ok("volume", "restore", "small", "s")
  expect(await ok("run", "--rm", "-v", "small:/v", image, "sh", "-c", `rm /v/x; ${fill}`)).toMatch(/^1\n\d{6,7}$/)
  const many = "rm /v/x; for i in $(seq 40); do touch /v/$i 2>/dev/null; done; ls /v | wc -l"
  expect(Number(await ok("run", "--rm", "-v", "small:/v", image, "sh", "-c", many))).toBeLessThanOrEqual(20)
  await ok("volume", "rm", "small")
  await ok("rmi", "-f", image)
})

testUnless(noQuotas !== false && place === undefined ? false : "the file system counts projects")(
  "without quotas a size is refused with the way to get there, and no volume is left",
  async () => {
    const { code, stderr } = await skiff.run(["volume", "create", "-o", "size=1m", "small"])
    expect(code).toBe(1)
    expect(stderr).toContain("a volume cannot have a size here")
    expect(stderr).toContain("type=tmpfs")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  },
)
