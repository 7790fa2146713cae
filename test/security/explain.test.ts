/** What an image or a program has written is looked at by `explain`, and for why a container ended: none of it leads outside, hangs or steers. */
import { beforeAll, expect, test } from "bun:test"
import { busyboxEntries } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { eventually } from "../support/wait.ts"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"

const skiff = openStore()
const because = (name: string) => skiff.ok("inspect", "--format", "{{.State.EndedBecause}}", name)

beforeAll(async () => {
  const registry = await sharedRegistry()
  const reference = await registry.push("security/explain:latest", {
    layers: [
      {
        entries: [
          ...busyboxEntries(),
          { name: "bin/outside", type: "symlink", linkName: "../../../../../../../../usr/bin/env" },
          { name: "bin/loop", type: "symlink", linkName: "loop" },
          { name: "bin/proc", type: "symlink", linkName: "/proc/1/root/bin/sh" },
          { name: "bin/pipe", type: "fifo", mode: 0o755 },
          { name: "bin/endless", mode: 0o755, content: `#!${"/a".repeat(100_000)}` },
          { name: "bin/escape", mode: 0o755, content: "#!/bin/\u001b[2Jsh\n" },
          { name: "bin/cut", mode: 0o755, content: Buffer.from("\u007fELF\u0002\u0001\u0001", "latin1") },
          { name: "bin/huge", mode: 0o755, content: hugeHeaders() },
        ],
      },
    ],
    config: { Env: ["PATH=/bin"] },
  })
  await skiff.ok("pull", "-q", reference)
  await skiff.ok("tag", reference, "hostile")
})

/** An ELF head whose tables lie at the end of the address space. */
function hugeHeaders(): Uint8Array {
  const bytes = Buffer.alloc(64, 0xff)
  Buffer.from("\u007fELF\u0002\u0001\u0001", "latin1").copy(bytes)
  bytes.writeUInt16LE(process.arch === "arm64" ? 0xb7 : 0x3e, 18)
  return bytes
}

test.each(["outside", "loop", "proc", "pipe", "endless", "escape", "cut", "huge"])(
  "a program %s is looked at inside its root alone, and the end is written down",
  async (program) => {
    const { code } = await skiff.run(["run", "--name", "looked-at", "hostile", program], { timeoutMs: 20_000 })
    expect(code).not.toBe(0)
    const why = await because("looked-at")
    expect(why).not.toBe("")
    // a link's target of the host is never named as found
    expect(why).not.toContain("/usr/bin/env")
    const page = await skiff.ok("explain", "looked-at")
    expect(page).not.toContain("\u001b")
    const shown = await skiff.run(["ps", "-a", "--filter", "name=looked-at"])
    expect(shown.stdout).not.toContain("\u001b")
    await skiff.ok("rm", "-f", "looked-at")
  },
)

test("a program cannot have words of its choice put into the reason", async () => {
  const lie =
    "printf 'error while loading shared libraries: \\033[2J.so: cannot open\\nsh: \\033[31mroot: not found\\n'; exit 127"
  await skiff.run(["run", "--name", "liar", "busybox", "sh", "-c", lie])
  expect(await because("liar")).toBe("the program ended by itself with exit code 127")
  await skiff.ok("rm", "liar")
})

test("a page neither follows what a container mounts over /proc, nor trusts its name", async () => {
  const rename = "printf '\\033]0;owned\\007' > /proc/self/comm; exec sleep 1000"
  await skiff.ok("run", "-d", "--name", "renamed", "busybox", "sh", "-c", rename)
  await skiff.ok("run", "-d", "--name", "watcher", "--network", "container:renamed", "busybox", "sleep", "1000")
  const page = await skiff.ok("explain", "watcher")
  expect(page).not.toContain("\u001b")
  expect(page).toContain("renamed")
  await skiff.ok("rm", "-f", "watcher", "renamed")
})

/** `/bin`, each time in other words. */
const spelled = (_: unknown, index: number) =>
  `/bin/${[...index.toString(2).padStart(17, "0")].map((bit) => (bit === "1" ? "./" : "/")).join("")}`

test("a search path of very many directories is not gone through for the reason", async () => {
  const reference = await (
    await sharedRegistry()
  ).push("security/path:latest", {
    layers: [{ entries: [...busyboxEntries(), ...Array.from({ length: 2000 }, (_, n) => ({ name: `bin/n${n}` }))] }],
    config: { Env: [`PATH=${Array.from({ length: 100_000 }, spelled).join(":")}`] },
  })
  await skiff.ok("pull", "-q", reference)
  const { code } = await skiff.run(["run", "--rm", reference, "no-such-program"], { timeoutMs: 20_000 })
  expect(code).not.toBe(0)
})

testUnless(asRootOnly)(
  "the lines to be copied run nothing that a container has named a group of processes",
  async () => {
    const name = "$(touch owned)'`touch owned`"
    const script = `for d in /sys/fs/cgroup/memory /sys/fs/cgroup; do cd $d 2>/dev/null && mkdir "$NAME" && break; done
cd "$NAME"; echo 99999744 > memory.limit_in_bytes || echo 99999744 > memory.max; echo 1 > cgroup.procs; exec sleep 1000`
    await skiff.ok("run", "-d", "--name", "named", "--privileged", "-e", `NAME=${name}`, "busybox", "sh", "-c", script)
    await eventually(async () => (await skiff.ok("explain", "named")).includes("touch owned"))
    const lines = (await skiff.ok("explain", "named")).split("\n").filter((line) => line.includes("touch owned"))
    for (const line of lines) {
      // as a shell takes it apart: what stands within quotes is one word
      const { stdout } = Bun.spawnSync([
        "sh",
        "-c",
        line.replace(/^ *\$ /, "set -- ").replace(" > ", " ") + '; printf %s "$3"',
      ])
      expect(stdout.toString()).toContain(name)
    }
    expect(lines.length).toBeGreaterThan(0)
    await skiff.ok("rm", "-f", "named")
  },
)
