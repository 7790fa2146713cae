/** What containers use, from the kernel's counters: as they come and go, as root and as an ordinary user. */
import { once } from "node:events"
import { expect, test } from "bun:test"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

async function start(name: string, script: string, ...flags: string[]): Promise<void> {
  await skiff.ok("run", "-d", "--name", name, ...flags, "busybox", "sh", "-c", script)
}

interface Row {
  Name: string
  CPUPerc: string
  MemUsage: string
  NetIO: string
  PIDs: string
}

async function statsOf(name: string): Promise<Row> {
  return JSON.parse(await skiff.ok("stats", "--no-stream", "--format", "json", name)) as Row
}

test("stats --no-stream shows what runs: a busy loop's CPU, held memory, processes", async () => {
  await start("busy", "while :; do :; done")
  await start("holder", "x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo ready; sleep 1000 & wait")
  await eventually(async () => (await skiff.ok("logs", "holder")).includes("ready"))
  const rows = (await skiff.ok("stats", "--no-stream", "--format", "{{.Name}}")).split("\n")
  expect(rows.toSorted()).toEqual(["busy", "holder"])
  expect(Number.parseFloat((await statsOf("busy")).CPUPerc)).toBeGreaterThan(5)
  const holder = await statsOf("holder")
  expect(Number.parseFloat(holder.CPUPerc)).toBeLessThan(5)
  const [, amount = "", unit] = /^([\d.]+)(\w+) \/ /.exec(holder.MemUsage) ?? []
  expect(unit).toBe("MiB")
  expect(Number(amount)).toBeGreaterThan(19)
  expect(holder.PIDs).toBe("2")
  expect(await skiff.ok("stats", "--no-stream", "busy")).toMatch(
    /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\n/,
  )
})

test("NET I/O counts what a container has carried", async () => {
  await start("server", "sleep 1000 | nc -l -p 80 >/dev/null")
  const address = (await skiff.inspect("server")).NetworkSettings.IPAddress
  const send = `until head -c 5000000 /dev/zero | nc ${address} 80; do sleep 0.1; done`
  await skiff.ok("run", "--rm", "busybox", "sh", "-c", send)
  const [received = "", sent = ""] = (await statsOf("server")).NetIO.split(" / ")
  expect(received).toMatch(/^5(\.\d+)?MB$/)
  expect(sent).toMatch(/kB$/)
})

test("containers come and go in the stream, and their ends are no errors", async () => {
  const child = skiff.spawn(["stats", "--interval", "1", "--format", "{{.Name}} {{.PIDs}}"])
  let seen = ""
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (seen += text))
  try {
    await start("guest", "sleep 1000")
    await eventually(() => seen.includes("guest 1\n"), 20_000)
    await skiff.ok("rm", "-f", "guest")
    // once more in a round of others, then no more
    await eventually(() => {
      const before = seen.length
      return eventually(() => seen.length > before && !seen.slice(before).includes("guest"), 3_000)
    }, 20_000)
    expect(child.exitCode).toBeNull()
  } finally {
    child.kill("SIGTERM")
  }
})

test("stats of names ends when none of them is left", async () => {
  await start("leaver", "sleep 1000")
  const child = skiff.spawn(["stats", "--format", "{{.Name}}", "leaver"])
  let stderr = ""
  child.stderr?.on("data", (chunk) => (stderr += String(chunk)))
  const ended = once(child, "exit")
  await once(child.stdout ?? child, "data")
  await skiff.ok("rm", "-f", "leaver")
  const [code] = (await ended) as [number | null]
  expect([code, stderr]).toEqual([0, ""])
})

test("one that has ended is shown with --all or by name, and uses nothing", async () => {
  await skiff.ok("run", "--name", "ended", "busybox", "true")
  expect(await statsOf("ended")).toMatchObject({ CPUPerc: "0.00%", MemUsage: "0B / 0B", PIDs: "0" })
  expect(await skiff.ok("stats", "--all", "--no-stream", "--format", "{{.Name}}")).toContain("ended")
  expect(await skiff.ok("container", "stats", "--latest", "--no-stream", "--format", "{{.Name}}")).toBe("ended")
  await skiff.ok("rm", "ended")
})

test("a name that is none, an interval of nothing: refused", async () => {
  expect(await skiff.run(["stats", "--no-stream", "nobody"])).toMatchObject({ code: 1, stdout: "" })
  expect((await skiff.run(["stats", "--interval", "0"])).stderr).toContain("invalid interval")
})

test("as podman it has podman's columns, and one JSON array", async () => {
  const podman = { env: { SKIFF_COMPAT: "podman" } }
  await skiff.ok("run", "--name", "styled", "busybox", "true")
  const table = await skiff.run(["stats", "--no-stream", "styled"], podman)
  expect(table.stdout).toMatch(
    /^ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET IO +BLOCK IO +PIDS +CPU TIME +AVG CPU %\n/,
  )
  const json = await skiff.run(["stats", "--no-stream", "--format", "json", "styled"], podman)
  expect(JSON.parse(json.stdout)).toMatchObject([{ name: "styled", cpu_percent: "0.00%", cpu_time: "0s", pids: "0" }])
  const [usage] = JSON.parse((await skiff.run(["system", "df", "--format", "json"], podman)).stdout) as object[]
  expect(usage).toMatchObject({ Type: "Images", Total: 1 })
  await skiff.ok("rm", "styled")
})
