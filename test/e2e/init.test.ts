/** `init`: everything of a container is there but its program, which waits for the start. */
import { afterEach, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

afterEach(async () => {
  await skiff.ok("rm", "--all", "--force")
})

const asPodman = async (...args: string[]) => (await skiff.run(args, { env: { SKIFF_COMPAT: "podman" } })).stdout.trim()
const stateOf = (name: string) => asPodman("inspect", "--format", "{{.State.Status}} {{.State.Pid}}", name)
const create = (name: string) => skiff.ok("create", "--name", name, "busybox", "sh", "-c", "echo ran; exec sleep 1000")

test("the namespaces are there, the program has not run, and the start lets it go on", async () => {
  await create("ready")
  expect(await skiff.ok("init", "ready")).toBe("ready")
  const [status, pid] = (await stateOf("ready")).split(" ")
  expect(status).toBe("initialized")
  expect(existsSync(`/proc/${pid}/ns/mnt`)).toBe(true)
  expect(await skiff.ok("logs", "ready")).toBe("")
  expect(await asPodman("ps", "-a", "--format", "{{.Status}}")).toBe("Initialized")
  await skiff.ok("start", "ready")
  expect((await skiff.inspect("ready")).State.Pid).toBe(Number(pid))
  await eventually(async () => (await skiff.ok("logs", "ready")) === "ran")
})

test("one that runs, or is initialized, is refused; --all leaves those out", async () => {
  const made = await create("first")
  await skiff.ok("init", "--latest")
  expect(await skiff.run(["init", "first"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("initialized already"),
  })
  const other = await create("second")
  expect((await skiff.ok("init", "--all")).split("\n").toSorted()).toEqual([made, other].toSorted())
  await skiff.ok("start", "second")
  expect(await skiff.run(["init", "second"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("running already"),
  })
})

test("start -a shows all that the program writes", async () => {
  await skiff.ok("create", "--name", "short", "busybox", "sh", "-c", "echo all; exit 4")
  await skiff.ok("init", "short")
  expect(await skiff.run(["start", "-a", "short"])).toMatchObject({ code: 4, stdout: "all\n" })
  await skiff.ok("init", "short")
  await skiff.ok("rm", "short")
})

test("it is taken back when its first process is killed, and can be started all the same", async () => {
  await create("killed")
  await skiff.ok("init", "killed")
  const [, pid] = (await stateOf("killed")).split(" ")
  process.kill(Number(pid), "SIGKILL")
  await eventually(async () => (await stateOf("killed")) === "created 0")
  await skiff.ok("start", "killed")
  expect((await stateOf("killed")).split(" ")[0]).toBe("running")
})

test("a start that is killed before the program leaves a container that can be started", async () => {
  await create("crashed")
  await skiff.ok("init", "crashed")
  const crash = await skiff.run(["start", "crashed"], { env: { SKIFF_CRASH_AT: "start:before-program" } })
  expect(crash.code).toBe(137)
  await eventually(async () => ["created", "running"].includes((await stateOf("crashed")).split(" ")[0] ?? ""))
  await skiff.ok("start", "crashed")
  expect((await stateOf("crashed")).split(" ")[0]).toBe("running")
})
