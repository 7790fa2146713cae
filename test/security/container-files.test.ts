/** The files over /etc of a container lie beside the engine's own, on the host's /run: a container must not fill that. */
import { expect, test } from "bun:test"
import { openStore } from "../support/store.ts"

const skiff = openStore()

test.each(["/etc/hosts", "/etc/resolv.conf", "/etc/hostname"])("%s takes a megabyte, and no more", async (path) => {
  const script = `dd if=/dev/zero of=${path} bs=64k count=512 conv=notrunc 2>&1; wc -c < ${path}`
  const name = `fills-${path.slice(5).replace(".", "-")}`
  const { stdout } = await skiff.run(["run", "--name", name, "--read-only", "busybox", "sh", "-c", script])
  expect(stdout).toContain("No space left on device")
  expect(Number(stdout.trim().split("\n").at(-1))).toBeLessThanOrEqual(1024 ** 2)
  await skiff.ok("rm", "-f", name)
})

test("they are still files that a program may edit, and that a container of the same network shares", async () => {
  await skiff.ok(
    "run",
    "-d",
    "--name",
    "edits",
    "busybox",
    "sh",
    "-c",
    "echo 10.9.9.9 db >> /etc/hosts; exec sleep 300",
  )
  const text = await skiff.ok("run", "--rm", "--network", "container:edits", "busybox", "cat", "/etc/hosts")
  expect(text).toContain("10.9.9.9 db")
  expect(text).toContain("127.0.0.1\tlocalhost")
  await skiff.ok("rm", "-f", "edits")
  expect(await Bun.file("/proc/self/mountinfo").text()).not.toContain(`${skiff.runRoot}/containers/`)
})
