/** From create to rm, and every command about a container that is there. */
import { afterEach, describe, expect, test } from "bun:test"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const LOOP = "trap 'echo got TERM; exit 3' TERM; trap 'echo got USR1' USR1; echo ready; while :; do sleep 0.05; done"

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

const status = async (name: string) => (await skiff.inspect(name)).State.Status
const started = async (name: string) => {
  await skiff.ok("run", "-d", "--name", name, "busybox", "sh", "-c", LOOP)
  await eventually(async () => (await skiff.ok("logs", name)).includes("ready"))
}

test("create, start, wait, start again, rm", async () => {
  const id = await skiff.ok("create", "--name", "plain", "busybox", "sh", "-c", "echo once >> /log; cat /log; exit 7")
  expect(id).toMatch(/^[0-9a-f]{64}$/)
  expect(await status("plain")).toBe("created")
  expect(await skiff.ok("start", "plain")).toBe("plain")
  expect(await skiff.ok("wait", "plain")).toBe("7")
  expect(await status("plain")).toBe("exited")
  const { code, stdout } = await skiff.run(["start", "-a", "plain"])
  expect({ code, stdout }).toEqual({ code: 7, stdout: "once\nonce\n" })
  expect(await skiff.ok("rm", "plain")).toBe("plain")
  expect((await skiff.run(["inspect", "plain"])).code).toBe(1)
})

test("names a container by id, by the start of its id, by its name", async () => {
  const id = await skiff.ok("create", "--name", "named", "busybox")
  for (const name of [id, id.slice(0, 12), "named"]) expect((await skiff.inspect(name)).Id).toBe(id)
})

test("without --name it gets one", async () => {
  const id = await skiff.ok("create", "busybox")
  expect((await skiff.inspect(id)).Name).toMatch(/^\/?[a-z]+_[a-z]+\d*$/)
})

test("a taken name is refused, and says whose it is", async () => {
  const id = await skiff.ok("create", "--name", "taken", "busybox")
  const { code, stderr } = await skiff.run(["run", "--name", "taken", "busybox", "true"])
  expect(code).toBe(125)
  expect(stderr).toContain("taken")
  expect(stderr).toContain(id.slice(0, 12))
})

test("stop sends the stop signal and waits", async () => {
  await started("stopped")
  await skiff.ok("stop", "stopped")
  expect((await skiff.inspect("stopped")).State).toMatchObject({
    Status: "exited",
    ExitCode: 3,
    Running: false,
    Pid: 0,
  })
  expect(await skiff.ok("logs", "stopped")).toContain("got TERM")
  await skiff.ok("stop", "stopped") // and again is no error
})

test("stop kills what does not listen, after its time", async () => {
  await skiff.ok("run", "-d", "--name", "deaf", "busybox", "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done")
  const before = Date.now()
  await skiff.ok("stop", "-t", "1", "deaf")
  expect(Date.now() - before).toBeGreaterThan(900)
  expect((await skiff.inspect("deaf")).State.ExitCode).toBe(137)
})

test("--stop-signal and --stop-timeout are the container's own", async () => {
  const script = "trap 'exit 9' USR2; while :; do sleep 0.05; done"
  await skiff.ok(
    "run",
    "-d",
    "--name",
    "own",
    "--stop-signal",
    "USR2",
    "--stop-timeout",
    "20",
    "busybox",
    "sh",
    "-c",
    script,
  )
  await skiff.ok("stop", "own")
  expect((await skiff.inspect("own")).State.ExitCode).toBe(9)
})

test("kill sends any signal", async () => {
  await started("killed")
  await skiff.ok("kill", "-s", "USR1", "killed")
  await eventually(async () => (await skiff.ok("logs", "killed")).includes("got USR1"))
  expect(await status("killed")).toBe("running")
  await skiff.ok("kill", "killed")
  expect(await skiff.ok("wait", "killed")).toBe("137")
  expect((await skiff.run(["kill", "killed"])).code).toBe(1)
})

test("restart gives a new process", async () => {
  await started("again")
  const { Pid } = (await skiff.inspect("again")).State
  await skiff.ok("restart", "-t", "2", "again")
  const after = (await skiff.inspect("again")).State
  expect(after.Status).toBe("running")
  expect(after.Pid).not.toBe(Pid)
})

test("rm refuses a running container, unless forced", async () => {
  await started("busy")
  const { code, stderr } = await skiff.run(["rm", "busy"])
  expect(code).toBe(1)
  expect(stderr).toContain("busy")
  await skiff.ok("rm", "-f", "busy")
})

test("rename", async () => {
  await skiff.ok("create", "--name", "old", "busybox")
  await skiff.ok("rename", "old", "new")
  expect(await skiff.ok("ps", "-a", "--format", "{{.Names}}")).toBe("new")
})

test("pause freezes, unpause goes on", async () => {
  await skiff.ok("run", "-d", "--name", "frozen", "busybox", "sh", "-c", "while :; do echo tick; sleep 0.05; done")
  const { code, stderr } = await skiff.run(["pause", "frozen"])
  if (code !== 0) {
    // an ordinary user without cgroups of his own has no freezer: said, never ignored
    expect(stderr).toContain("cgroup")
    return
  }
  expect(await status("frozen")).toBe("paused")
  const ticks = await skiff.ok("logs", "frozen")
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await skiff.ok("logs", "frozen")).toBe(ticks)
  await skiff.ok("unpause", "frozen")
  await eventually(async () => (await skiff.ok("logs", "frozen")).length > ticks.length)
})

describe("exec", () => {
  test("runs beside the first program, with its own code, streams and environment", async () => {
    await started("beside")
    const { code, stdout, stderr } = await skiff.run([
      "exec",
      "-e",
      "A=b",
      "-w",
      "/tmp",
      "beside",
      "sh",
      "-c",
      "echo $A; pwd; echo e >&2; exit 5",
    ])
    expect({ code, stdout, stderr }).toEqual({ code: 5, stdout: "b\n/tmp\n", stderr: "e\n" })
    expect((await skiff.run(["exec", "-i", "beside", "cat"], { stdin: "piped" })).stdout).toBe("piped")
    expect(await skiff.ok("exec", "-u", "user", "beside", "id", "-u")).toBe("1000")
    expect(await skiff.ok("exec", "beside", "cat", "/proc/1/comm")).toBe("sh")
  })

  test("gives 127 and 126 as run does", async () => {
    await started("beside")
    expect((await skiff.run(["exec", "beside", "no-such-program"])).code).toBe(127)
    expect((await skiff.run(["exec", "beside", "/etc/passwd"])).code).toBe(126)
  })

  test("-d leaves it running", async () => {
    await started("beside")
    await skiff.ok("exec", "-d", "beside", "sh", "-c", "echo done > /tmp/mark; sleep 60")
    await eventually(async () => (await skiff.ok("exec", "beside", "cat", "/tmp/mark")) === "done")
  })

  test("in a stopped container is refused", async () => {
    await skiff.ok("create", "--name", "idle", "busybox")
    const { code, stderr } = await skiff.run(["exec", "idle", "true"])
    expect(code).not.toBe(0)
    expect(stderr).toContain("idle")
  })
})

describe("logs", () => {
  test("keeps both streams apart, tails, stamps", async () => {
    await skiff.run(["run", "--name", "logged", "busybox", "sh", "-c", "echo one; echo two; echo bad >&2; printf open"])
    const { stdout, stderr } = await skiff.run(["logs", "logged"])
    expect({ stdout, stderr }).toEqual({ stdout: "one\ntwo\nopen", stderr: "bad\n" })
    expect(await skiff.ok("logs", "-n", "1", "logged")).toBe("open")
    expect(await skiff.ok("logs", "-t", "-n", "1", "logged")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z open$/)
  })

  test("-f follows to the end", async () => {
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "followed",
      "busybox",
      "sh",
      "-c",
      "for i in 1 2 3; do echo $i; sleep 0.2; done",
    )
    expect(await skiff.ok("logs", "-f", "followed")).toBe("1\n2\n3")
  })

  test("--log-driver none keeps nothing, and says so", async () => {
    await skiff.ok("run", "--name", "quiet", "--log-driver", "none", "busybox", "echo", "beside")
    const { code, stderr } = await skiff.run(["logs", "quiet"])
    expect(code).toBe(1)
    expect(stderr).toContain("none")
  })

  test("--log-opt max-size bounds the file", async () => {
    await skiff.ok("run", "--name", "bound", "--log-opt", "max-size=20k", "busybox", "seq", "1", "20000")
    expect((await skiff.ok("logs", "bound")).length).toBeLessThan(60_000)
    expect(await skiff.ok("logs", "-n", "1", "bound")).toBe("20000")
  })
})

const TICKS = "trap 'echo later; exit 4' TERM; while :; do echo tick; sleep 0.05; done"

/** Attaches to a container that prints TICKS, and waits until it is seen. */
async function attachTo(name: string) {
  await skiff.ok("run", "-d", "--name", name, "busybox", "sh", "-c", TICKS)
  const attached = skiff.spawn(["attach", name])
  let seen = ""
  attached.stdout?.setEncoding("utf8").on("data", (text: string) => (seen += text))
  const ended = new Promise<{ code: number | null; seen: string }>((done) =>
    attached.on("close", (code) => done({ code, seen })),
  )
  await eventually(() => seen.includes("tick"))
  return { attached, ended }
}

test("attach shows what comes, and ends with the program's code", async () => {
  const { ended } = await attachTo("attached")
  await skiff.ok("kill", "-s", "TERM", "attached")
  const { code, seen } = await ended
  expect(code).toBe(4)
  expect(seen).toEndWith("later\n")
})

test("attach passes signals on", async () => {
  const { attached, ended } = await attachTo("sig")
  attached.kill("SIGTERM")
  expect((await ended).code).toBe(4)
  expect(await skiff.ok("wait", "sig")).toBe("4")
})

test("run passes signals on", async () => {
  const running = skiff.spawn(["run", "--name", "fg", "busybox", "sh", "-c", LOOP])
  await eventually(async () => (await skiff.run(["logs", "fg"])).stdout.includes("ready"))
  running.kill("SIGTERM")
  const code = await new Promise((resolve) => running.on("close", resolve))
  expect(code).toBe(3)
})

test("ps shows what runs, -a all, with Docker's columns and templates", async () => {
  await started("up")
  await skiff.ok("create", "--name", "idle", "busybox")
  const table = await skiff.ok("ps")
  expect(table.split("\n")[0]).toMatch(/^CONTAINER ID\s+IMAGE\s+COMMAND\s+CREATED\s+STATUS\s+PORTS\s+NAMES$/)
  expect(table.split("\n")).toHaveLength(2)
  expect((await skiff.ok("ps", "-a", "--format", "{{.Names}} {{.State}}")).split("\n").toSorted()).toEqual([
    "idle created",
    "up running",
  ])
  expect(await skiff.ok("ps", "-a", "-f", "status=created", "--format", "{{.Names}}")).toBe("idle")
  expect(await skiff.ok("ps", "--format", "table {{.Names}}\t{{.Image}}")).toMatch(/^NAMES\s+IMAGE\nup\s+busybox/)
  const [line = ""] = (await skiff.ok("ps", "--format", "{{json .}}")).split("\n")
  expect(JSON.parse(line)).toMatchObject({ Names: "up", State: "running" })
})

test("top lists the processes", async () => {
  await started("listed")
  expect(await skiff.ok("top", "listed")).toMatch(/PID.*\n.*sh -c/s)
})

test("inspect --format, and the state in Docker's terms", async () => {
  await started("seen")
  expect(await skiff.ok("inspect", "-f", "{{.State.Status}} {{.Config.Image}} {{len .Config.Cmd}}", "seen")).toBe(
    "running busybox 3",
  )
  const document = await skiff.inspect("seen")
  expect(document.State.Pid).toBeGreaterThan(0)
  expect(Date.parse(document.State.StartedAt)).toBeGreaterThan(Date.now() - 60_000)
})

test("-s shows what a container wrote, in ps and in inspect", async () => {
  await skiff.ok("run", "--name", "fat", "busybox", "dd", "if=/dev/zero", "of=/f", "bs=1M", "count=3")
  expect(await skiff.ok("ps", "-a", "-s")).toMatch(/NAMES +SIZE\n.* fat +3\.\d+MB \(virtual \d\.\d+MB\)$/)
  const written = Number(await skiff.ok("inspect", "-s", "-f", "{{.SizeRw}}", "fat"))
  expect(written).toBeGreaterThanOrEqual(3 << 20)
  expect(Number(await skiff.ok("container", "inspect", "-s", "-f", "{{.SizeRootFs}}", "fat"))).toBeGreaterThan(written)
  expect(await skiff.ok("inspect", "-f", "{{json .}}", "fat")).not.toContain("SizeRw")
})

test("container prune takes those that the filters name", async () => {
  for (const label of ["keep", "drop"]) await skiff.ok("create", "--name", label, "--label", `kind=${label}`, "busybox")
  const kept = () => skiff.ok("ps", "-a", "--format", "{{.Names}}")
  await skiff.ok("container", "prune", "-f", "--filter", "until=1h")
  expect((await kept()).split("\n")).toHaveLength(2)
  await skiff.ok("container", "prune", "-f", "--filter", "label!=kind=keep")
  expect(await kept()).toBe("keep")
  await skiff.ok("container", "prune", "-f", "--filter", "label=kind", "--filter", "until=0s")
  expect(await kept()).toBe("")
})

test("wait on many prints a code each", async () => {
  await skiff.ok("run", "-d", "--name", "w1", "busybox", "sh", "-c", "sleep 0.2; exit 1")
  await skiff.ok("run", "-d", "--name", "w2", "busybox", "sh", "-c", "sleep 0.1; exit 2")
  expect(await skiff.ok("wait", "w1", "w2")).toBe("1\n2")
})

test("several names: each is tried, the failures are told, the exit code is 1", async () => {
  await skiff.ok("create", "--name", "one", "busybox")
  const { code, stdout, stderr } = await skiff.run(["rm", "absent", "one"])
  expect(code).toBe(1)
  expect(stdout).toBe("one\n")
  expect(stderr).toContain("absent")
})
