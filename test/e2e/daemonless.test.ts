/** No daemon: what runs after skiff has gone, and what a killed skiff leaves to the next. */
import { describe, expect, test } from "bun:test"
import { readdirSync, readFileSync, utimesSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { CRASH_POINTS } from "../../src/base/crash-point.ts"
import { helpersOf, pauseProcessOf, processesNaming } from "../support/host-state.ts"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually, freePort } from "../support/wait.ts"

const skiff = openStore()
const points = (...domains: string[]) => CRASH_POINTS.filter((point) => domains.includes(point.split(":")[0] ?? ""))
const removeAll = async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
}

const imageFor = async (point: string) =>
  (await sharedRegistry()).push(`crash/${point.replace(":", "-")}:1`, {
    ...BUSYBOX,
    layers: [...BUSYBOX.layers, { entries: [{ name: "mark", content: point.repeat(50_000) }] }],
  })

test("after run -d only the monitor stays", async () => {
  await skiff.ok("run", "-d", "--name", "lone", "--network", "none", "busybox", "sleep", "100")
  // until it becomes the program, the first process is the runtime's
  await eventually(() => expect(processesNaming(skiff.directory).map((name) => name.split(" ")[0])).toEqual(["conmon"]))
  await skiff.ok("rm", "-f", "lone")
})

test("with nothing running nothing of skiff runs, and the next command brings back what it needs", async () => {
  const port = await freePort()
  await skiff.ok("run", "-d", "--name", "served", "-p", `${port}:80`, "busybox", "httpd", "-f")
  const pause = pauseProcessOf(skiff.directory)
  // longer than the helpers stay by themselves: the monitor is who needs them
  await sleep(5_000)
  expect([pauseProcessOf(skiff.directory), user.rootless]).toEqual([pause, pause !== undefined])
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404)
  await skiff.ok("rm", "-f", "served")
  await eventually(() => expect([...processesNaming(skiff.directory), ...helpersOf(skiff.directory)]).toEqual([]))
  expect(await skiff.ok("run", "--rm", "busybox", "echo", "again")).toBe("again")
})

test("a killed `run` leaves its container running, and its end is still written down", async () => {
  const script = "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"
  const running = skiff.spawn(["run", "--name", "orphan", "busybox", "sh", "-c", script])
  await eventually(async () => (await skiff.run(["logs", "orphan"])).stdout.includes("up"))
  running.kill("SIGKILL")
  expect((await skiff.inspect("orphan")).State.Running).toBe(true)
  await skiff.ok("kill", "-s", "TERM", "orphan")
  expect(await skiff.ok("wait", "orphan")).toBe("9")
  expect((await skiff.inspect("orphan")).State).toMatchObject({ Status: "exited", ExitCode: 9 })
  await skiff.ok("rm", "orphan")
})

test("a killed `run --rm` is cleaned up all the same", async () => {
  const running = skiff.spawn(["run", "--rm", "--name", "swept", "busybox", "sh", "-c", "echo up; sleep 0.5"])
  await eventually(async () => (await skiff.run(["logs", "swept"])).stdout.includes("up"))
  running.kill("SIGKILL")
  await eventually(async () => (await skiff.ok("ps", "-aq")) === "")
  await skiff.leavesNothing(30_000, async () => {})
})

test("an exit code that nobody came for is swept", async () => {
  const exits = () => readdirSync(`${skiff.directory}/run/exits`)
  const id = await skiff.ok("run", "-d", "--rm", "busybox", "sleep", "100")
  const waiting = skiff.spawn(["wait", id], { env: { SKIFF_TRACE: "1" } })
  let told = ""
  waiting.stderr?.setEncoding("utf8").on("data", (text: string) => (told += text))
  await eventually(() => expect(told).toContain("end is awaited"))
  waiting.kill("SIGKILL")
  await skiff.ok("kill", id)
  await eventually(() => expect(exits()).toContain(id))
  const past = Date.now() / 1000 - 11
  utimesSync(`${skiff.directory}/run/exits/${id}`, past, past)
  await skiff.ok("ps")
  await eventually(() => expect(exits()).not.toContain(id))
})

test("a killed monitor and program are seen by the next command", async () => {
  await skiff.ok("run", "-d", "--name", "lost", "busybox", "sleep", "100")
  const { Pid } = (await skiff.inspect("lost")).State
  const status = readFileSync(`/proc/${Pid}/status`, "utf8")
  const monitor = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1])
  expect(readFileSync(`/proc/${monitor}/comm`, "utf8").trim()).toBe("conmon")
  process.kill(monitor, "SIGKILL")
  process.kill(Pid, "SIGKILL")
  await eventually(async () => (await skiff.inspect("lost")).State.Status === "exited")
  await skiff.ok("start", "lost")
  expect((await skiff.inspect("lost")).State.Running).toBe(true)
  await skiff.ok("rm", "-f", "lost")
})

describe("kill -9 in the middle of", () => {
  for (const point of points("pull"))
    test(`pull, at ${point}: the next pull goes through, and so does a run`, async () => {
      const image = await imageFor(point)
      expect((await skiff.run(["pull", image], { env: { SKIFF_CRASH_AT: point } })).code).toBe(137)
      await skiff.ok("pull", "-q", image)
      expect(await skiff.ok("run", "--rm", image, "head", "-c", String(point.length), "/mark")).toBe(point)
      await skiff.ok("rmi", image)
    })

  // `end:` points are reached by the foreground, or by the monitor's exit command where it is quicker: both die there
  for (const point of points("create", "start", "end", "remove").filter((name) => name !== "end:reconciled"))
    test(`run --rm, at ${point}: the next run goes through, nothing is left`, async () => {
      const args = ["run", "--rm", "--name", "crashed", "-p", "80", "-v", "/data", "busybox", "true"]
      expect((await skiff.run(args, { env: { SKIFF_CRASH_AT: point } })).code).toBe(137)
      expect(await skiff.ok("run", "--rm", "busybox", "echo", "next")).toBe("next")
      await removeAll()
      expect(await skiff.ok("ps", "-aq")).toBe("")
      await skiff.leavesNothing()
    })

  // with --rm it is removed instead
  test("run, at end:reconciled: its exit code is kept, and it can be removed", async () => {
    const args = ["run", "--name", "ended", "busybox", "sh", "-c", "exit 7"]
    expect((await skiff.run(args, { env: { SKIFF_CRASH_AT: "end:reconciled" } })).code).toBe(137)
    expect((await skiff.inspect("ended")).State.ExitCode).toBe(7)
    await skiff.ok("rm", "ended")
    await skiff.leavesNothing()
  })

  for (const point of points("remove"))
    test(`rm, at ${point}: repeated, it finishes`, async () => {
      const id = await skiff.ok("create", "--name", "half-removed", "-v", "/data", "busybox")
      expect((await skiff.run(["rm", "-v", id], { env: { SKIFF_CRASH_AT: point } })).code).toBe(137)
      await skiff.run(["rm", "-f", "-v", id])
      expect(await skiff.ok("ps", "-aq")).toBe("")
      await skiff.ok("create", "--name", "half-removed", "busybox") // the name is free again
      await skiff.ok("rm", "half-removed")
      await skiff.leavesNothing()
    })
})
