import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { constants, existsSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { detectCgroups } from "../../sys/process/cgroup.ts"
import { thisProcess } from "../../sys/process/process-identity.ts"
import { processStartTime } from "../../sys/process/process.ts"
import { isFirstOfNamespace } from "../../sys/process/signal-by-handle.ts"
import { openCrunState } from "./crun-state.ts"

const cgroups = { ...detectCgroups(), manager: "disabled" as const }

function stateOf(id: string, status?: object) {
  const root = mkdtempSync(join(tmpdir(), "skiff-crun-"))
  const directory = join(root, id)
  mkdirSync(directory)
  if (status !== undefined) writeFileSync(join(directory, "status"), JSON.stringify(status))
  return { crun: openCrunState(root, cgroups), directory, [Symbol.dispose]: () => rmSync(root, { recursive: true }) }
}

test("start() writes the byte that a created container waits for, and takes the file away", () => {
  using state = stateOf("a")
  const fifo = join(state.directory, "exec.fifo")
  spawnSync("mkfifo", [fifo])
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  expect(state.crun.start("a")).toBe(true)
  expect(readSync(reader, new Uint8Array(8))).toBe(1)
  expect(existsSync(fifo)).toBe(false)
})

test("start() leaves to crun what nobody waits for", () => {
  using state = stateOf("a")
  expect(state.crun.start("a")).toBe(false)
  const fifo = join(state.directory, "exec.fifo")
  spawnSync("mkfifo", [fifo])
  expect(state.crun.start("a")).toBe(false)
  expect(existsSync(fifo)).toBe(true)
})

test("signal() signals the very process on record, and no other of its number", async () => {
  const child = Bun.spawn(["sleep", "100"])
  const startTime = processStartTime(child.pid) ?? 0
  using other = stateOf("a", { pid: child.pid, "process-start-time": startTime - 1 })
  expect(other.crun.signal("a", 15)).toBe(false)
  using none = stateOf("a")
  expect(none.crun.signal("a", 15)).toBe(false)
  using state = stateOf("a", { pid: child.pid, "process-start-time": startTime })
  expect(state.crun.signal("a", 15)).toBe(true)
  await child.exited
  expect(child.signalCode).toBe("SIGTERM")
  expect(state.crun.signal("a", 15)).toBe(false)
})

test("signal() leaves the end of a process without a pid namespace of its own to crun", async () => {
  const child = Bun.spawn(["sleep", "100"])
  using state = stateOf("a", { pid: child.pid, "process-start-time": processStartTime(child.pid) })
  expect(state.crun.signal("a", 9)).toBe(false)
  expect(child.signalCode).toBeNull()
  child.kill()
  await child.exited
})

test("isFirstOfNamespace() takes the innermost number of a nested process", () => {
  expect(isFirstOfNamespace("Name:\tsh\nNSpid:\t4711\t1\nNSpgid:\t1\n")).toBe(true)
  expect(isFirstOfNamespace("NSpid:\t4711\t23\t1\n")).toBe(true)
  expect(isFirstOfNamespace("NSpid:\t4711\t12\n")).toBe(false)
  expect(isFirstOfNamespace("NSpid:\t1\n")).toBe(false)
})

test("deleteEnded() touches nothing of a container that runs, and none that it cannot judge", () => {
  const { pid, startTime } = thisProcess()
  for (const status of [{ pid, "process-start-time": startTime }, { pid }, {}, undefined]) {
    using state = stateOf("a", status)
    expect(state.crun.deleteEnded("a")).toBe(false)
    expect(existsSync(state.directory)).toBe(true)
  }
})

test("deleteEnded() removes the state of one whose first process is gone, though its number is used again", () => {
  const { pid, startTime } = thisProcess()
  using state = stateOf("a", { pid, "process-start-time": startTime - 1 })
  expect(state.crun.deleteEnded("a")).toBe(true)
  expect(existsSync(state.directory)).toBe(false)
})
