import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { sendSignal } from "../libc.ts"
import { spawnProcess } from "./process.ts"
import { spawnKilledWithParent } from "./killed-with-parent.ts"

const BOTH = { stdout: "pipe", stderr: "pipe" } as const

function runs(commandLine: string): boolean {
  return readdirSync("/proc").some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim() === commandLine
    } catch {
      return false
    }
  })
}

async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not so: ${condition.toString()}`)
    await Bun.sleep(10)
  }
}

test("the program has its words, its outputs and its exit code, and nobody stays behind it", async () => {
  const child = spawnKilledWithParent(
    ["sh", "-c", 'echo "$1"; echo e >&2; ls /proc/self/fd; exit 7', "sh", "a b"],
    BOTH,
  )
  const [stdout, stderr] = await Promise.all([Array.fromAsync(child.stdout ?? []), Array.fromAsync(child.stderr ?? [])])
  expect(await child.exited).toBe(7)
  expect(Buffer.concat(stdout).toString()).toBe("a b\n0\n1\n2\n3\n") // 3 is the directory that ls reads
  expect(Buffer.concat(stderr).toString()).toBe("e\n")
  await eventually(() => !readdirSync("/proc").some((pid) => groupOf(pid) === child.pid))
})

function groupOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2])
  } catch {
    return undefined
  }
}

test("the program and its children end when we are killed", async () => {
  const script = `import { spawnKilledWithParent } from ${JSON.stringify(join(import.meta.dir, "killed-with-parent.ts"))}
    spawnKilledWithParent(["sh", "-c", "sleep 30031; true"], { stdout: "ignore", stderr: "ignore" })
    setInterval(() => {}, 1000)`
  const parent = spawnProcess([process.execPath, "-e", script])
  await eventually(() => runs("sleep 30031"))
  sendSignal(parent.pid, 9)
  await eventually(() => !runs("sleep 30031"))
})
