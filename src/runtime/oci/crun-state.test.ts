import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { constants, existsSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { detectCgroups } from "../../sys/process/cgroup.ts"
import { thisProcess } from "../../sys/process/process-identity.ts"
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
