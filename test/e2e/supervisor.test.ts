/** The supervisor: there when a container needs it, gone when none does, and no loss when it is killed. */
import { afterEach, expect, test } from "bun:test"
import { noLimits, openStore, testUnless } from "../support/store.ts"
import { killSupervisor, supervisorsOf } from "../support/supervisor.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

const checked = (name: string) =>
  skiff.ok(
    "run",
    "-d",
    "--name",
    name,
    "--health-cmd",
    "true",
    "--health-interval",
    "100ms",
    "busybox",
    "sleep",
    "1000",
  )
const logOf = (name: string) =>
  skiff.ok("inspect", "-f", "{{len .State.Health.Log}} {{(index .State.Health.Log 0).Start}}", name)

test("a container without a check needs none; with one there is one for all, and it ends with the last", async () => {
  await skiff.ok("run", "-d", "--name", "plain", "busybox", "sleep", "1000")
  expect(supervisorsOf(skiff)).toEqual([])
  await Promise.all(["one", "two", "three"].map(checked))
  await eventually(() => supervisorsOf(skiff).length === 1)
  for (const name of ["one", "two", "three"])
    await eventually(async () => (await skiff.ok("inspect", "-f", "{{.State.Health.Status}}", name)) === "healthy")
  await skiff.ok("rm", "-f", "one", "two", "three")
  await eventually(() => supervisorsOf(skiff).length === 0)
}, 30_000)

test("killed, it loses nothing: the next command brings it back, and the checks go on", async () => {
  await checked("one")
  await eventually(async () => (await logOf("one")).startsWith("5 "))
  await killSupervisor(skiff)
  const before = await skiff.ok("ps", "--format", "{{.Status}}")
  expect(before).toEndWith("(healthy)")
  await eventually(() => supervisorsOf(skiff).length === 1)
  const log = await logOf("one")
  await eventually(async () => (await logOf("one")) !== log)
  // its shell went with it: one is there, of the new one
  const shells = (await skiff.ok("top", "one")).split("\n").filter((line) => line.includes("while IFS"))
  expect(shells.length).toBe(1)
}, 30_000)

testUnless(noLimits)(
  "nothing is checked while a container is paused",
  async () => {
    await checked("one")
    await eventually(async () => (await logOf("one")).startsWith("5 "))
    await skiff.ok("pause", "one")
    await eventually(() => supervisorsOf(skiff).length === 0)
    const log = await logOf("one")
    await skiff.ok("unpause", "one")
    await eventually(async () => (await logOf("one")) !== log)
    expect(await skiff.ok("inspect", "-f", "{{.State.Health.Status}}", "one")).toBe("healthy")
  },
  30_000,
)

test("a long back-off is kept by the supervisor, and by the next one when that is killed", async () => {
  await skiff.ok("run", "-d", "--name", "again", "--restart", "always", "busybox", "false")
  const count = async () => (await skiff.inspect("again")).RestartCount
  // 0.1, 0.2, 0.4, 0.8, then 1.6 s
  await eventually(async () => (await count()) >= 4 && supervisorsOf(skiff).length === 1, 20_000)
  await killSupervisor(skiff)
  const killedAt = await count()
  await eventually(async () => (await count()) > killedAt, 20_000)
  await skiff.ok("rm", "-f", "again")
  await eventually(() => supervisorsOf(skiff).length === 0)
}, 60_000)
