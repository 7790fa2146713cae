/** What containers have used is known after they are gone, whoever was killed meanwhile. */
import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"
import { supervisorsOf } from "../support/supervisor.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
/** Some tenths of a second of one processor. */
const BURN = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done"

interface Line {
  container: string
  name: string
  runs: number
  seconds: number
  cpu_seconds: number
  memory_gb_seconds: number
  memory_is_bound: boolean
  bytes_sent: number
  bytes_received: number
  longest_gap_seconds: number
}

async function report<T = Line>(...flags: string[]): Promise<T[]> {
  return JSON.parse(await skiff.ok("meter", "report", "--json", ...flags)) as T[]
}

async function lineOf(name: string): Promise<Line> {
  const line = (await report()).find((one) => one.name === name)
  if (!line) throw new Error(`no line of ${name}`)
  return line
}

const expectWithin1Percent = (value: number, of: number): void =>
  expect(Math.abs(value - of)).toBeLessThanOrEqual(of / 100)

testUnless(asRootOnly)("CPU seconds are the kernel's, before and after the container is gone", async () => {
  await skiff.ok("run", "-d", "--name", "paused", "busybox", "sh", "-c", `${BURN}; echo done; sleep 1000`)
  await eventually(async () => (await skiff.ok("logs", "paused")).includes("done"))
  const { Pid: pid } = (await skiff.inspect("paused")).State
  const cgroup = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n")
  const path = cgroup.map((line) => /^\d+:(?:.*,)?cpuacct(?:,.*)?:(.*)$/.exec(line)?.[1]).find(Boolean)
  const counted = () =>
    path === undefined
      ? Number(/usage_usec (\d+)/.exec(readFileSync(unified(cgroup), "utf8"))?.[1]) / 1e6
      : Number(readFileSync(`/sys/fs/cgroup/cpuacct${path}/cpuacct.usage`, "utf8")) / 1e9
  await skiff.ok("pause", "paused")
  const kernel = counted()
  expect(kernel).toBeGreaterThan(0.1)
  expectWithin1Percent((await lineOf("paused")).cpu_seconds, kernel)
  await skiff.ok("unpause", "paused")
  const last = counted()
  await skiff.ok("rm", "-f", "paused")
  expectWithin1Percent((await lineOf("paused")).cpu_seconds, last)
})

const unified = (lines: readonly string[]): string =>
  `/sys/fs/cgroup${/^0::(.*)$/m.exec(lines.join("\n"))?.[1]}/cpu.stat`

test("a --rm container that nobody watched leaves its CPU seconds and every byte that it sent", async () => {
  await skiff.ok("run", "-d", "--name", "sink", "busybox", "sh", "-c", "sleep 1000 | nc -l -p 80 >/dev/null")
  const address = (await skiff.inspect("sink")).NetworkSettings.IPAddress
  const send = `until head -c 3000000 /dev/zero | nc ${address} 80; do sleep 0.1; done`
  const read = "cat /proc/net/dev /proc/self/stat; cat /proc/$$/stat"
  const words = await skiff.ok("run", "--rm", "--name", "sender", "busybox", "sh", "-c", `${BURN}; ${send}; ${read}`)
  const [received = 0, , , , , , , , sent = 0] = (/eth0: +(.*)/.exec(words)?.[1] ?? "").split(/ +/).map(Number)
  const shell = (words.split("\n").at(-1) ?? "")
    .replace(/^.*\) /, "")
    .split(" ")
    .map(Number)
  const ticks = shell.slice(11, 15).reduce((sum, one) => sum + one, 0)
  const line = await lineOf("sender")
  expectWithin1Percent(line.bytes_sent, sent)
  expect(line.bytes_received - received).toBeLessThanOrEqual(1000)
  expect(sent).toBeGreaterThan(3_000_000)
  // the shell's own words are in ticks; to start a container is not among them
  expect(line.cpu_seconds).toBeGreaterThanOrEqual(ticks / 100 - 0.02)
  expect(line.cpu_seconds).toBeLessThan(ticks / 100 + 0.25)
  await skiff.ok("rm", "-f", "sink")
  expect((await lineOf("sink")).bytes_received).toBeGreaterThan(3_000_000)
})

test("an engine and a monitor that were killed lose nothing that the kernel still counts", async () => {
  const child = skiff.spawn(["run", "--name", "orphan", "busybox", "sh", "-c", `${BURN}; echo done; sleep 1000`])
  await eventually(async () => (await skiff.ok("logs", "orphan")).includes("done"))
  await skiff.ok("meter", "report")
  child.kill("SIGKILL")
  const { Pid: pid } = (await skiff.inspect("orphan")).State
  const monitor = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])
  process.kill(monitor, "SIGKILL")
  await skiff.ok("rm", "-f", "orphan")
  expect(await lineOf("orphan")).toMatchObject({ runs: 1 })
  expect((await lineOf("orphan")).cpu_seconds).toBeGreaterThan(0.1)
})

test("an end is counted once, at whatever step its clean-up was killed", async () => {
  const seconds: number[] = []
  for (const point of ["end:exit-read", "end:metered", "end:runtime-deleted", "end:run-directory-removed"]) {
    const name = `killed-${point.replace(":", "-")}`
    const args = ["run", "--name", name, "busybox", "sh", "-c", BURN]
    expect((await skiff.run(args, { env: { SKIFF_CRASH_AT: point } })).code).toBe(137)
    await skiff.ok("wait", name)
    await skiff.ok("rm", name)
    const { runs, cpu_seconds: cpuSeconds } = await lineOf(name)
    expect([point, runs]).toEqual([point, 1])
    seconds.push(cpuSeconds)
  }
  // the same work each time: one that counted twice would have twice as much
  expect(Math.min(...seconds)).toBeGreaterThan(0.1)
  expect(Math.max(...seconds)).toBeLessThan(Math.min(...seconds) * 1.9)
})

test("over a reboot the samples are kept, and nothing is counted twice", async () => {
  await skiff.ok("run", "-d", "--name", "rebooted", "busybox", "sh", "-c", `${BURN}; echo done; sleep 1000`)
  await eventually(async () => (await skiff.ok("logs", "rebooted")).includes("done"))
  const before = await lineOf("rebooted")
  expect(before.cpu_seconds).toBeGreaterThan(0.1)
  const { Pid: pid } = (await skiff.inspect("rebooted")).State
  const db = new DatabaseSync(join(skiff.root, "skiff.db"))
  db.exec(`UPDATE containers SET state = json_set(state, '$.bootId', 'of-another-boot') WHERE name = 'rebooted'`)
  db.close()
  process.kill(pid, "SIGKILL")
  await eventually(async () => (await skiff.inspect("rebooted")).State.Status === "exited")
  const after = await lineOf("rebooted")
  expectWithin1Percent(after.cpu_seconds, before.cpu_seconds)
  await skiff.ok("start", "rebooted")
  await eventually(async () => (await lineOf("rebooted")).cpu_seconds > before.cpu_seconds * 1.2)
  expect((await lineOf("rebooted")).runs).toBe(2)
  await skiff.ok("rm", "-f", "rebooted")
})

test("meter watch samples memory: what was held for how long is known, and no bound any more", async () => {
  const script = "x=$(head -c 30000000 /dev/zero | tr '\\0' x); echo ready; sleep 1000 & wait"
  await skiff.ok("run", "-d", "--name", "holder", "busybox", "sh", "-c", script)
  await eventually(async () => (await skiff.ok("logs", "holder")).includes("ready"))
  const watch = skiff.spawn(["meter", "watch", "--interval", "200ms", "--quiet"])
  try {
    const first = await lineOf("holder")
    const later = await eventually(async () => {
      const line = await lineOf("holder")
      if (line.seconds < first.seconds + 2) throw new Error("not long enough yet")
      return line
    }, 20_000)
    const held = (later.memory_gb_seconds - first.memory_gb_seconds) / (later.seconds - first.seconds)
    expect(held).toBeGreaterThan(0.029)
    expect(held).toBeLessThan(0.045)
    expect(later.memory_is_bound).toBe(false)
  } finally {
    watch.kill("SIGTERM")
  }
  await skiff.ok("rm", "-f", "holder")
})

test("reports add up by label, user and image, in CSV too; a time before all has nothing", async () => {
  for (const [name, team] of [
    ["one", "web"],
    ["two", "web"],
    ["three", "=SUM(1,2)"],
  ] as const)
    await skiff.ok("run", "--rm", "--name", name, "--label", `team=${team}`, "busybox", "true")
  const teams = await report<{ label: string; containers: number }>("--by", "label=team")
  expect(teams.find(({ label }) => label === "web")?.containers).toBe(2)
  const csv = await skiff.ok("meter", "report", "--by", "label=team", "--format", "csv")
  expect(csv.split("\n")[0]).toBe(
    "label,containers,runs,seconds,cpu_seconds,memory_gb_seconds,memory_is_bound,bytes_read,bytes_written,bytes_sent,bytes_received,longest_gap_seconds",
  )
  // a spreadsheet takes it for a formula otherwise
  expect(csv).toContain(`"'=SUM(1,2)",1,1,`)
  expect(await report("--by", "user")).toHaveLength(1)
  expect(await skiff.ok("meter", "report", "--by", "image")).toMatch(/^IMAGE +CONTAINERS +RUNS/)
  expect(await report("--until", "2020-01-01")).toEqual([])
  expect((await skiff.run(["meter", "report", "--by", "colour"])).code).not.toBe(0)
})

test("meter on has containers sampled as long as they run, by a supervisor that ends when it is off", async () => {
  const script = "x=$(head -c 30000000 /dev/zero | tr '\\0' x); sleep 1000 & wait"
  await skiff.ok("run", "-d", "--name", "sampled", "busybox", "sh", "-c", script)
  expect(supervisorsOf(skiff)).toEqual([])
  await skiff.ok("meter", "on", "--interval", "1s")
  await eventually(() => supervisorsOf(skiff).length === 1)
  const db = new DatabaseSync(join(skiff.root, "skiff.db"), { readOnly: true })
  // read past `meter report`, which samples as well
  const memory = () =>
    Number(db.prepare("SELECT memory_bytes FROM meter_runs WHERE name = 'sampled'").get()?.memory_bytes ?? 0)
  await eventually(() => memory() > 30_000_000, 20_000)
  db.close()
  await skiff.ok("meter", "off")
  await eventually(() => supervisorsOf(skiff).length === 0, 20_000)
  await skiff.ok("rm", "-f", "sampled")
  expect((await lineOf("sampled")).memory_is_bound).toBe(false)
})
