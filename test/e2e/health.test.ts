/** Health checks: Docker's and podman's rules, on the built binary. One user is enough. */
import { afterEach, expect, test } from "bun:test"
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Inspected } from "../support/skiff.ts"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

interface HealthDocument {
  Status: string
  FailingStreak: number
  Log: { Start: string; End: string; ExitCode: number; Output: string }[]
}

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

const run = (flags: readonly string[], ...command: string[]) =>
  skiff.ok("run", "-d", "--name", "checked", ...flags, "busybox", ...(command.length > 0 ? command : ["sleep", "1000"]))

async function health(): Promise<HealthDocument> {
  const { State } = (await skiff.inspect("checked")) as Inspected & { State: { Health?: HealthDocument } }
  if (State.Health === undefined) throw new Error("no health in the document")
  return State.Health
}

const becomes = (status: string) => eventually(async () => (await health()).Status === status)
const status = () => skiff.ok("ps", "-a", "--format", "{{.Status}}")
const eventsOf = async (action: string) =>
  (await skiff.ok("events", "--since", "1h", "--until", "0s", "--filter", `event=${action}`, "--format", "{{.Action}}"))
    .split("\n")
    .filter(Boolean)

const QUICK = ["--health-interval", "100ms", "--health-retries", "2"]

test("a container is starting, then healthy, and unhealthy after as many failures as it has retries", async () => {
  await run([...QUICK, "--health-cmd", "echo word; test -e /fine"], "sh", "-c", "touch /fine; sleep 1000")
  await becomes("healthy")
  expect(await status()).toEndWith("(healthy)")
  expect((await health()).Log[0]).toMatchObject({ ExitCode: 0, Output: "word\n" })
  await skiff.ok("exec", "checked", "rm", "/fine")
  await becomes("unhealthy")
  const now = await health()
  expect(now.FailingStreak).toBeGreaterThanOrEqual(2)
  expect(now.Log.length).toBeLessThanOrEqual(5)
  expect(await status()).toEndWith("(unhealthy)")
  expect(await skiff.ok("ps", "--filter", "health=unhealthy", "--format", "{{.Names}}")).toBe("checked")
  expect(await skiff.ok("ps", "--filter", "health=healthy", "-q")).toBe("")
  expect(await eventsOf("health_status")).toEqual(["health_status: healthy", "health_status: unhealthy"])
})

test("within the start period a failure does not count, a success does", async () => {
  const times = ["--health-start-period", "1h", "--health-start-interval", "50ms", "--health-retries", "1"]
  await run([...times, "--health-cmd", "test -e /fine"])
  await eventually(async () => (await health()).Log.length >= 3)
  expect(await health()).toMatchObject({ Status: "starting", FailingStreak: 0 })
  expect(await status()).toEndWith("(health: starting)")
  await skiff.ok("exec", "checked", "touch", "/fine")
  await becomes("healthy")
})

test("a check that takes too long is killed with what it has started, and has failed", async () => {
  const times = ["--health-interval", "50ms", "--health-timeout", "300ms", "--health-retries", "1"]
  await run([...times, "--health-cmd", "sleep 7777 & sleep 7777"])
  await becomes("unhealthy")
  const [first] = (await health()).Log
  expect(first).toMatchObject({ ExitCode: -1, Output: "Health check exceeded timeout (0.3s)" })
  await eventually(async () => (await health()).Log.length >= 4)
  // those of checks that are over are gone: no more are there than one check has
  const sleepers = (await skiff.ok("top", "checked")).split("\n").filter((line) => line.endsWith(" sleep 7777"))
  expect(sleepers.filter((line) => !line.includes("while")).length).toBeLessThanOrEqual(2)
})

test("the same of a check that is no shell's", async () => {
  const times = ["--health-interval", "20s", "--health-timeout", "300ms", "--health-retries", "1"]
  await run([...times, "--health-cmd", '["CMD", "sleep", "8888"]'])
  expect(await skiff.run(["healthcheck", "run", "checked"])).toMatchObject({ code: 1, stdout: "unhealthy\n" })
  expect((await health()).Log[0]?.ExitCode).toBe(-1)
  expect(await skiff.ok("top", "checked")).not.toContain("8888")
})

test("words are run as they are, also where the shell has a word of that name", async () => {
  await run([...QUICK, "--health-cmd", '["CMD", "echo", "$HOME", "a  b"]'])
  await becomes("healthy")
  expect((await health()).Log[0]?.Output).toBe("$HOME a  b\n")
})

test("a check has the container's user and environment, and no capability that it has not", async () => {
  const flags = ["-u", "1000", "-e", "WORD=said", "-w", "/tmp", "--cap-drop", "all"]
  await run([...flags, ...QUICK, "--health-cmd", 'echo "$WORD $(id -u) $PWD"; grep CapEff /proc/self/status'])
  await becomes("healthy")
  expect((await health()).Log[0]?.Output).toBe("said 1000 /tmp\nCapEff:\t0000000000000000\n")
})

test("the image's HEALTHCHECK is run; flags change its parts, and --no-healthcheck takes it away", async () => {
  const context = join(skiff.directory, "context")
  mkdirSync(context)
  writeFileSync(
    join(context, "Dockerfile"),
    'FROM busybox\nHEALTHCHECK --interval=100ms --retries=7 CMD echo image\nCMD ["sleep", "1000"]\n',
  )
  await skiff.ok("build", "-q", "-t", "checks", context)
  await skiff.ok("run", "-d", "--name", "checked", "--health-retries", "4", "checks")
  await becomes("healthy")
  expect((await skiff.inspect("checked")).Config.Healthcheck).toEqual({
    Test: ["CMD-SHELL", "echo image"],
    Interval: 100_000_000,
    Retries: 4,
  })
  await skiff.ok("rm", "-f", "checked")
  await skiff.ok("run", "-d", "--name", "checked", "--no-healthcheck", "checks")
  expect((await skiff.inspect("checked")).Config.Healthcheck).toEqual({ Test: ["NONE"] })
  expect(await skiff.ok("inspect", "-f", "{{json .State}}", "checked")).not.toContain("Health")
  expect((await skiff.run(["healthcheck", "run", "checked"])).code).toBe(125)
})

test("`healthcheck run` checks once: 0, 1 with a word, 125 where there is nothing to check", async () => {
  await run(["--health-cmd", "test -e /fine", "--health-interval", "disable", "--health-retries", "1"])
  expect(await skiff.run(["healthcheck", "run", "checked"])).toMatchObject({ code: 1, stdout: "unhealthy\n" })
  expect((await health()).Status).toBe("unhealthy")
  await skiff.ok("exec", "checked", "touch", "/fine")
  expect(await skiff.run(["healthcheck", "run", "checked"])).toMatchObject({ code: 0, stdout: "" })
  expect((await health()).Log.map(({ ExitCode }) => ExitCode)).toEqual([1, 0])
  await skiff.ok("stop", "-t", "0", "checked")
  const { code, stderr } = await skiff.run(["healthcheck", "run", "checked"])
  expect(code).toBe(125)
  expect(stderr).toContain("is not running")
})

test("each run of a container begins anew", async () => {
  await run([...QUICK, "--health-cmd", "true"])
  await becomes("healthy")
  await skiff.ok("stop", "-t", "0", "checked")
  expect((await health()).Status).toBe("unhealthy")
  await skiff.ok("start", "checked")
  await becomes("healthy")
  expect(await skiff.run(["wait", "--condition", "healthy", "checked"])).toMatchObject({ code: 0 })
})

test("--health-on-failure: stop, kill, restart", async () => {
  const flags = [...QUICK, "--health-cmd", "test ! -e /broken"]
  await run([...flags, "--health-on-failure", "stop", "--stop-timeout", "0"])
  await skiff.ok("exec", "checked", "touch", "/broken")
  await eventually(async () => (await skiff.inspect("checked")).State.Status === "exited")
  await skiff.ok("rm", "checked")
  await run([...flags, "--health-on-failure", "kill"])
  await skiff.ok("exec", "checked", "touch", "/broken")
  await eventually(async () => (await skiff.inspect("checked")).State.ExitCode === 137)
  await skiff.ok("rm", "checked")
  await run(
    [...flags, "--health-on-failure", "restart", "--stop-timeout", "0"],
    "sh",
    "-c",
    "rm -f /broken; sleep 1000",
  )
  const { Pid } = (await skiff.inspect("checked")).State
  await skiff.ok("exec", "checked", "touch", "/broken")
  await eventually(async () => {
    const { State, RestartCount } = await skiff.inspect("checked")
    return State.Running && State.Pid !== Pid && RestartCount === 1
  }, 15_000)
  await becomes("healthy")
}, 60_000)

test("--restart on-unhealthy:1 starts an unhealthy container again, once", async () => {
  await run([...QUICK, "--health-cmd", "false", "--restart", "on-unhealthy:1", "--stop-timeout", "0"])
  await eventually(async () => (await skiff.inspect("checked")).RestartCount === 1, 15_000)
  await becomes("unhealthy")
  const { State, RestartCount } = await skiff.inspect("checked")
  expect(State.Status).toBe("running")
  expect(RestartCount).toBe(1)
}, 30_000)

test("the startup check comes first; the container restarts when it fails for too long", async () => {
  const startup = ["--health-startup-cmd", "test -e /up", "--health-startup-interval", "100ms"]
  await run([...QUICK, "--health-cmd", "echo check", ...startup, "--health-startup-success", "2"])
  await eventually(async () => (await health()).Log.length >= 3)
  expect((await health()).Status).toBe("starting")
  await skiff.ok("exec", "checked", "touch", "/up")
  await becomes("healthy")
  expect((await health()).Log.at(-1)?.Output).toBe("check\n")
  await skiff.ok("rm", "-f", "checked")
  await run([...startup, "--health-cmd", "true", "--health-startup-retries", "2", "--stop-timeout", "0"])
  await eventually(async () => (await skiff.inspect("checked")).RestartCount >= 1, 15_000)
}, 40_000)

test("how many results are kept, how much of each, and where else, is for the flags to say", async () => {
  const directory = join(skiff.directory, "results")
  mkdirSync(directory, { mode: 0o777 })
  const flags = ["--health-max-log-count", "2", "--health-max-log-size", "3", "--health-log-destination", directory]
  await run([...QUICK, ...flags, "--health-cmd", "echo 123456789"]).catch(() => "an ordinary user may not write there")
  await eventually(async () => (await health()).Log.length === 2)
  expect((await health()).Log[0]?.Output).toBe("123")
  const [file = ""] = readdirSync(directory)
  if (file === "") return
  expect(readFileSync(join(directory, file), "utf8")).toContain('"123"')
  // what a check says may be a secret
  expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600)
})

test("an output without an end, and one with the bytes of anything, keep nothing from working", async () => {
  await run([...QUICK, "--health-timeout", "2s", "--health-cmd", "head -c 300000 /dev/urandom; printf 'x\\0y'"])
  await becomes("healthy")
  expect(Buffer.byteLength((await health()).Log[0]?.Output ?? "")).toBeLessThanOrEqual(3 * 4096)
})

test("`update` changes a check while it is being made", async () => {
  await run([...QUICK, "--health-cmd", "false"])
  await becomes("unhealthy")
  await skiff.ok("update", "--health-cmd", "echo other", "checked")
  await becomes("healthy")
  expect((await health()).Log.at(-1)?.Output).toBe("other\n")
  await skiff.ok("update", "--no-healthcheck", "checked")
  expect(await skiff.ok("inspect", "-f", "{{json .State}}", "checked")).not.toContain("Health")
})

test("a check, and the shell that stays for it, have no descriptor of ours", async () => {
  await run([...QUICK, "--health-cmd", "ls /proc/$$/fd | tr '\\n' ' '"])
  await becomes("healthy")
  expect((await health()).Log[0]?.Output).toBe("0 1 2 ")
})

test("nonsense is refused, with the flag's name", async () => {
  const refused = [
    ["--no-healthcheck", "--health-cmd", "true"],
    ["--health-interval", "0.5us", "--health-cmd", "true"],
    ["--health-on-failure", "dance"],
    ["--health-startup-retries", "3"],
    ["--health-log-destination", "somewhere"],
  ]
  for (const flags of refused) {
    const { code, stderr } = await skiff.run(["run", ...flags, "busybox", "true"])
    expect(code).toBe(125)
    expect(stderr).toMatch(/--health|--no-healthcheck/)
  }
})
