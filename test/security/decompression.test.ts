/** xz and bzip2 are parsed by programs of the host, which get a stranger's bytes and no privilege to lose. */
import { afterAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { openStore } from "../support/store.ts"
import { tar } from "../support/tar.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const started: { kill(signal: "SIGKILL"): void }[] = []
afterAll(() => started.forEach((child) => child.kill("SIGKILL")))

const plain = tar([{ name: "file", content: "x".repeat(3_000_000) }])

/** `Name:\tvalue` lines of proc_pid_status(5). */
function statusOf(pid: string): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, "latin1").split("\n")
  return Object.fromEntries(lines.map((line) => line.split(":\t") as [string, string]))
}

function processesOf(program: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/comm`, "latin1").trim() === program
    } catch {
      return false
    }
  })
}

describe.each(["xz", "bzip2"])("%s", (program) => {
  const compressed = spawnSync(program, ["-c"], { input: plain, maxBuffer: 1 << 26 }).stdout

  test("has no ids but nobody's, no capability, and no way to one", async () => {
    const before = new Set(processesOf(program))
    const child = skiff.spawn(["import", "-", `stalled-${program}:1`])
    started.push(child)
    // so much that it is begun, and not all
    child.stdin?.write(compressed.subarray(0, compressed.length - 8))
    let pid = ""
    await eventually(() => {
      pid = processesOf(program).find((one) => !before.has(one)) ?? ""
      expect(pid).not.toBe("")
      expect(statusOf(pid).NoNewPrivs).toBe("1")
    }, 10_000)
    const { Uid = "", Gid = "", Groups = "", CapEff, CapPrm, CapInh, CapAmb } = statusOf(pid)
    expect({ CapEff, CapPrm, CapInh, CapAmb }).toEqual({
      CapEff: "0000000000000000",
      CapPrm: "0000000000000000",
      CapInh: "0000000000000000",
      CapAmb: "0000000000000000",
    })
    for (const ids of [Uid, Gid]) {
      const [first] = new Set(ids.split("\t"))
      expect(new Set(ids.split("\t")).size).toBe(1)
      // an ordinary user's nobody is one of the subordinate ids
      if (user.rootless) expect(Number(first)).toBeGreaterThan(65_534)
      else expect(first).toBe("65534")
    }
    expect(Groups.trim()).toBe("")
    child.stdin?.end(compressed.subarray(compressed.length - 8))
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0)
  })

  test("ends with skiff", async () => {
    const before = new Set(processesOf(program))
    const child = skiff.spawn(["import", "-", `killed-${program}:1`])
    started.push(child)
    child.stdin?.write(compressed.subarray(0, compressed.length - 8))
    const ours = () => processesOf(program).filter((one) => !before.has(one))
    await eventually(() => expect(ours()).toHaveLength(1), 10_000)
    child.kill("SIGKILL")
    await eventually(() => expect(ours()).toEqual([]), 5_000)
  })
})
