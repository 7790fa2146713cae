import { expect, test } from "bun:test"
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AT_FDCWD, close, cString, libc, pipe } from "../libc.ts"
import { PipeReader } from "./pipe.ts"
import {
  bootId,
  isAlive,
  processStartTime,
  run,
  signalProcess,
  spawnProcess,
  type Pid,
  type StartTime,
} from "./process.ts"

test("run() gives the exit code and both streams, and the input as a pipe that can be opened again", async () => {
  expect(await run(["sh", "-c", "echo out; echo err >&2; exit 7"])).toEqual({
    code: 7,
    stdout: "out\n",
    stderr: "err\n",
  })
  expect((await run(["sh", "-c", "kill -9 $$"])).code).toBe(137)
  expect((await run(["cat", "/dev/stdin"], { input: "hello" })).stdout).toBe("hello")
  await expect(run(["true"], { input: "x".repeat(65_537) })).rejects.toThrow(/65536/)
  await expect(run(["/no/such/program"])).rejects.toThrow()
})

test("run() keeps the first MiB of what a program writes, and lets it end", async () => {
  const { code, stdout } = await run(["sh", "-c", "yes | head -c 3000000"])
  expect([code, stdout.length]).toEqual([0, 1024 * 1024])
})

test("a child has exactly the descriptors it was given", async () => {
  const { readEnd, writeEnd } = pipe()
  const leak = libc.openat(AT_FDCWD, cString("/etc/hostname"), 0, 0) // no O_CLOEXEC
  const child = spawnProcess(["sh", "-c", "echo up; kill -STOP $$"], {
    stdio: ["ignore", writeEnd, "ignore", writeEnd],
  })
  expect(await new PipeReader(readEnd).line()).toBe("up") // the loader's own files are closed
  const held = readdirSync(`/proc/${child.pid}/fd`).map((fd) => readlinkSync(`/proc/${child.pid}/fd/${fd}`))
  expect(held).not.toContain("/etc/hostname")
  expect(held).toHaveLength(4)
  for (const fd of [writeEnd, leak]) close(fd)
  signalProcess(child.pid, processStartTime(child.pid) as StartTime, 9)
  await child.exited
})

test("a process is known by its pid and its start time together", async () => {
  const child = spawnProcess(["sleep", "60"])
  const startTime = processStartTime(child.pid) as StartTime
  expect(isAlive(child.pid, startTime)).toBe(true)
  expect(isAlive(child.pid, (startTime + 1) as StartTime)).toBe(false)
  expect(signalProcess(child.pid, (startTime + 1) as StartTime, 9)).toBe(false)
  expect(signalProcess(child.pid, startTime, 9)).toBe(true)
  expect(await child.exited).toBe(137)
  expect(processStartTime(child.pid)).toBeUndefined()
  expect(signalProcess(child.pid, startTime, 9)).toBe(false)
})

test.each([0, -1, 1, Number.NaN, 1.5])("signalProcess() never signals pid %p", (pid) => {
  expect(signalProcess(pid as Pid, 0 as StartTime, 0)).toBe(false)
})

test("a name with spaces and parentheses does not hide the start time", async () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-process-"))
  const program = join(directory, "a) R 1 (b")
  copyFileSync("/bin/sleep", program)
  const child = spawnProcess([program, "60"])
  const startTime = processStartTime(child.pid) as StartTime
  expect(startTime).toBeGreaterThan(1000)
  expect(signalProcess(child.pid, startTime, 9)).toBe(true)
  await child.exited
  rmSync(directory, { recursive: true })
})

test("bootId() is the kernel's", () => {
  expect(bootId()).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim())
})

test("a PipeReader gives lines, then the end", async () => {
  const { readEnd, writeEnd } = pipe()
  const child = spawnProcess(["sh", "-c", "printf 'one\\ntwo\\nth' >&3; sleep 0.05; printf 'ree' >&3"], {
    stdio: ["ignore", "ignore", "ignore", writeEnd],
  })
  close(writeEnd)
  using reader = new PipeReader(readEnd)
  expect(await reader.line()).toBe("one")
  expect(await reader.line()).toBe("two")
  expect(await reader.line()).toBe("three")
  expect(await reader.line()).toBeUndefined()
  await reader.end()
  await child.exited
})

test("a PipeReader that is disposed ends its reads and keeps no descriptor", async () => {
  const before = readdirSync("/proc/self/fd").length
  for (let round = 0; round < 50; round++) {
    const { readEnd, writeEnd } = pipe()
    const reader = new PipeReader(readEnd)
    const waiting = reader.line()
    reader[Symbol.dispose]()
    reader[Symbol.dispose]()
    expect(await waiting).toBeUndefined()
    close(writeEnd)
  }
  await Bun.sleep(50) // Bun closes its own copy in another thread
  expect(readdirSync("/proc/self/fd").length).toBeLessThan(before + 10)
})
