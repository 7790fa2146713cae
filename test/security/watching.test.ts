/**
 * What a hostile program writes or is called cannot speak for others: in logs, in stats, in bills.
 *
 * One user is enough.
 */
import { expect, test } from "bun:test"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

test("a line that looks like an entry of the log stays a line of its own stream", async () => {
  const forged = "2026-01-01T00:00:00.000000000+00:00 stderr F forged"
  const script = `printf '%s\\n' '${forged}'; printf '\\r%s' '${forged}'; printf '\\0\\377\\n'`
  await skiff.ok("run", "--name", "forger", "busybox", "sh", "-c", script)
  const { stdout, stderr } = await skiff.run(["logs", "forger"])
  expect(stderr).toBe("")
  expect(stdout).toStartWith(`${forged}\n\r${forged}\0`)
  expect((await skiff.run(["logs", "--since", "2026-06-01", "forger"])).stdout).toBe(stdout)
  expect((await skiff.ok("logs", "--tail", "1", "forger")).includes("forged")).toBe(true)
})

test("a program that is called like columns of /proc/PID/stat changes no number but its own", async () => {
  // the kernel keeps 15 bytes of it
  const script = `printf ') R 1 9 9 9 9 9' > /proc/$$/comm; echo named; sleep 1000; true`
  await skiff.ok("run", "-d", "--name", "odd", "busybox", "sh", "-c", script)
  await eventually(async () => (await skiff.ok("logs", "odd")) === "named")
  const { PIDs: pids, CPUPerc: cpu } = JSON.parse(
    await skiff.ok("stats", "--no-stream", "--format", "json", "odd"),
  ) as Record<string, string>
  expect(pids).toBe("2")
  expect(Number.parseFloat(cpu ?? "")).toBeLessThan(100)
  const [line] = JSON.parse(await skiff.ok("meter", "report", "--json")) as { name: string; cpu_seconds: number }[]
  expect(line?.cpu_seconds).toBeLessThan(100)
  await skiff.ok("rm", "-f", "odd")
})

test("a label of a bill is text: no formula of a spreadsheet, no further column, no escape sequence of a terminal", async () => {
  const label = `team=@SUM(1+1)"\u001b[31m,9999`
  await skiff.ok("run", "--rm", "--label", label, "busybox", "true")
  const csv = await skiff.ok("meter", "report", "--by", "label=team", "--format", "csv")
  const row = csv.split("\n").find((line) => line.includes("SUM"))
  expect(row).toStartWith(`"'@SUM(1+1)""\u001b[31m,9999",1,1,`)
  const table = await skiff.ok("meter", "report", "--by", "label=team")
  expect(table).not.toContain("\u001b")
})
