/** Restart policies act with no daemon: the monitor's exit command starts the container again. */
import { afterEach, expect, test } from "bun:test"
import { processesNaming } from "../support/host-state.ts"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

/** Who could start it again is gone: the monitor, its exit command, the supervisor. */
const nobodyIsLeft = () => eventually(() => expect(processesNaming(skiff.directory)).toEqual([]), 15_000)

const runPolicy = (policy: string, script: string) =>
  skiff.ok("run", "-d", "--name", "again", "--restart", policy, "busybox", "sh", "-c", script)

test("on-failure:2 tries twice again, then stays down", async () => {
  await runPolicy("on-failure:2", "echo try; exit 3")
  await eventually(async () => {
    const { State, RestartCount } = await skiff.inspect("again")
    return State.Status === "exited" && RestartCount === 2
  }, 15_000)
  await nobodyIsLeft()
  expect(await skiff.ok("logs", "again")).toBe("try\ntry\ntry")
  expect((await skiff.inspect("again")).State.ExitCode).toBe(3)
})

test("on-failure leaves alone what succeeds", async () => {
  await runPolicy("on-failure", "echo once")
  await eventually(async () => (await skiff.inspect("again")).State.Status === "exited")
  await nobodyIsLeft()
  expect(await skiff.ok("logs", "again")).toBe("once")
})

test("always comes back after each end, with back-off, and stop stops it", async () => {
  await runPolicy("always", "echo up; sleep 0.1")
  await eventually(async () => (await skiff.inspect("again")).RestartCount >= 2, 15_000)
  await skiff.ok("stop", "-t", "1", "again")
  const lines = await skiff.ok("logs", "again")
  await nobodyIsLeft()
  expect(await skiff.ok("logs", "again")).toBe(lines)
  expect((await skiff.inspect("again")).State.Status).toBe("exited")
})

test("rm -f ends what waits for its back-off", async () => {
  await runPolicy("always", "exit 1")
  await eventually(async () => (await skiff.inspect("again")).RestartCount >= 2, 15_000)
  await skiff.ok("rm", "-f", "again")
  await nobodyIsLeft()
  expect(await skiff.ok("ps", "-aq")).toBe("")
})

test("a killed engine changes nothing: always acts", async () => {
  const running = skiff.spawn([
    "run",
    "--name",
    "again",
    "--restart",
    "always",
    "busybox",
    "sh",
    "-c",
    "echo up; sleep 0.4; exit 1",
  ])
  await eventually(async () => (await skiff.run(["logs", "again"])).stdout.includes("up"))
  running.kill("SIGKILL")
  await eventually(async () => (await skiff.inspect("again")).RestartCount >= 1, 15_000)
})

test("nonsense is refused", async () => {
  for (const policy of ["sometimes", "on-failure:x", "always:3"])
    expect((await skiff.run(["run", "--restart", policy, "busybox", "true"])).code).toBe(125)
  expect((await skiff.run(["run", "--rm", "--restart", "always", "busybox", "true"])).code).toBe(125)
})
