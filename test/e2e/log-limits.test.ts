/** The log of a container that writes without end: bounded on disk, and read without a gap. One user is enough. */
import { expect, test } from "bun:test"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

/** Bytes of all log files of a container; two names of one file count once. */
async function logBytes(name: string): Promise<number> {
  const directory = dirname(await skiff.ok("inspect", "--format", "{{.LogPath}}", name))
  const files = readdirSync(directory).filter((file) => file.startsWith("container.log"))
  const sizes = new Map(files.map((file) => statSync(join(directory, file))).map(({ ino, size }) => [ino, size]))
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

function expectNoGap(lines: readonly string[], last: number): void {
  const first = last - lines.length + 1
  expect(lines).toEqual(lines.map((_, index) => String(first + index)))
}

test("max-size times max-file is the most there is on disk, and logs shows the end of it", async () => {
  const limits = ["--log-opt", "max-size=20k", "--log-opt", "max-file=3"]
  await skiff.ok("run", "-d", "--name", "chatty", ...limits, "busybox", "seq", "1", "5000")
  await skiff.ok("wait", "chatty")
  expect(await logBytes("chatty")).toBeLessThanOrEqual(60 * 1024)
  const lines = (await skiff.ok("logs", "chatty")).split("\n")
  expect(lines.length).toBeGreaterThan(1)
  expectNoGap(lines, 5000)
})

test("what the last run wrote stands before what this one writes, and --tail counts over both", async () => {
  const script = "seq 1 200; sleep 0.2"
  await skiff.ok("run", "-d", "--name", "twice", "--log-opt", "max-size=30k", "busybox", "sh", "-c", script)
  await skiff.ok("wait", "twice")
  await skiff.ok("start", "twice")
  await skiff.ok("wait", "twice")
  const all = (await skiff.ok("logs", "twice")).split("\n")
  const once = Array.from({ length: 200 }, (_, index) => String(index + 1))
  expect(all).toEqual([...once, ...once])
  expect((await skiff.ok("logs", "--tail", "250", "twice")).split("\n")).toEqual([...once.slice(150), ...once])
  expect(await logBytes("twice")).toBeLessThanOrEqual(30 * 1024)
})

test("logs -f goes on from file to file", async () => {
  // some 10 lines fill a file: the reader has a second for each
  const line = `${"x".repeat(500)} `
  const script = `i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo "${line}$i"; sleep 0.1; done`
  await skiff.ok("run", "-d", "--name", "followed", "--log-opt", "max-size=18k", "busybox", "sh", "-c", script)
  const { code, stdout } = await skiff.run(["logs", "-f", "followed"])
  expect(code).toBe(0)
  expectNoGap(
    stdout
      .trim()
      .split("\n")
      .map((text) => text.replace(line, "")),
    40,
  )
  expect(stdout.trim().split("\n")).toHaveLength(40)
})

test("a log without a limit of its own is kept within 50 MB", async () => {
  expect(await skiff.ok("info")).toContain("Default Log: k8s-file, 50MB a container")
  const script = "yes $(seq 1 200) | head -c 70000000"
  await skiff.ok("run", "-d", "--name", "flood", "busybox", "sh", "-c", script)
  await skiff.ok("wait", "flood")
  const bytes = await logBytes("flood")
  expect(bytes).toBeGreaterThan(1_000_000)
  expect(bytes).toBeLessThanOrEqual(50_000_000)
})

test("somebody who looks now and then keeps as many files as --log-opt max-file allows", async () => {
  const limits = ["--log-opt", "max-size=4k", "--log-opt", "max-file=5"]
  // 40 lines fill most of a file: then it waits
  const wait = "[ $((i % 40)) = 0 ] && while [ ! -e /go$i ]; do sleep 0.02; done"
  const script = `i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo $i; ${wait}; done; true`
  await skiff.ok("run", "-d", "--name", "kept", ...limits, "busybox", "sh", "-c", script)
  for (let number = 40; number <= 400; number += 40) {
    await eventually(async () => (await skiff.ok("logs", "--tail", "1", "kept")) === String(number))
    await skiff.ok("exec", "kept", "touch", `/go${number}`)
  }
  await skiff.ok("wait", "kept")
  const lines = (await skiff.ok("logs", "kept")).split("\n")
  // without a look, no more than the last two files are known: some 100 lines
  expect(lines.length).toBeGreaterThan(250)
  expectNoGap(lines, 400)
  expect(await logBytes("kept")).toBeLessThanOrEqual(20 * 1024)
})

test("where max-file asks for several files the supervisor looks: nobody else has to", async () => {
  const limits = ["--log-opt", "max-size=4k", "--log-opt", "max-file=5"]
  const signs = join(skiff.directory, "signs")
  mkdirSync(signs, { mode: 0o755 })
  // 25 lines are more than a file and less than two: then it waits for our sign
  const wait = "[ $((i % 25)) = 0 ] && while [ ! -e /signs/$i ]; do sleep 0.05; done"
  const script = `i=0; while [ $i -lt 125 ]; do i=$((i+1)); echo $i; ${wait}; done; true`
  const volume = ["-v", `${signs}:/signs:ro`]
  await skiff.ok("run", "-d", "--name", "alone", ...limits, ...volume, "busybox", "sh", "-c", script)
  const log = await skiff.ok("inspect", "--format", "{{.LogPath}}", "alone")
  for (let number = 25; number <= 125; number += 25) {
    await eventually(() => readFileSync(log, "utf8").includes(` ${number}\n`))
    // the next file has its name: it was looked at
    await eventually(() => existsSync(`${log}.tmp`), 20_000)
    writeFileSync(join(signs, String(number)), "")
  }
  await skiff.ok("wait", "alone")
  const lines = (await skiff.ok("logs", "alone")).split("\n")
  expect(lines).toHaveLength(125)
  expectNoGap(lines, 125)
})
