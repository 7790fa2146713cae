/** What containers wrote: each driver, and each way to ask for it. One user is enough. */
import { expect, test } from "bun:test"
import { existsSync, mkdirSync, chownSync, readFileSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

test("both streams come back as they were written, in their order, whole and without an end", async () => {
  const script =
    "echo one; echo two >&2; printf 'no end'; sleep 0.1; printf ', yet\\n'; head -c 20000 /dev/zero | tr '\\0' x"
  await skiff.ok("run", "-d", "--name", "both", "busybox", "sh", "-c", script)
  await skiff.ok("wait", "both")
  const { stdout, stderr } = await skiff.run(["logs", "both"])
  expect(stderr).toBe("two\n")
  expect(stdout).toBe(`one\nno end, yet\n${"x".repeat(20_000)}`)
})

test("-t shows nanoseconds in UTC, --details what --log-opt names; --no-escape makes control characters text", async () => {
  const opts = ["--log-opt", "labels=team", "--log-opt", "env=MODE", "--log-opt", "tag=t1"]
  const flags = ["--label", "team=web", "--env", "MODE=quick", "--label", "other=x", ...opts]
  await skiff.ok("run", "--name", "detailed", ...flags, "busybox", "printf", "a\\n\\033[31mred\\n")
  const [first, second] = (await skiff.ok("logs", "-t", "--details", "detailed")).split("\n")
  expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z tag=t1,MODE=quick,team=web a$/)
  expect(second).toEndWith("\u001b[31mred")
  expect(await skiff.ok("logs", "--no-escape", "detailed")).not.toContain("\u001b")
})

test("--since and --until choose by time, --tail counts lines from the end, -f ends with the container", async () => {
  await skiff.ok(
    "run",
    "-d",
    "--name",
    "timed",
    "busybox",
    "sh",
    "-c",
    "echo early; sleep 1.2; echo late; sleep 0.4; echo last",
  )
  expect((await skiff.run(["logs", "-f", "timed"])).stdout).toBe("early\nlate\nlast\n")
  const times = (await skiff.ok("logs", "-t", "timed")).split("\n").map((line) => line.split(" ")[0] ?? "")
  expect(await skiff.ok("logs", "--since", times[1] ?? "", "timed")).toBe("late\nlast")
  const between = new Date(Date.parse(times[1] ?? "") - 100).toISOString()
  expect(await skiff.ok("logs", "--until", between, "timed")).toBe("early")
  expect(await skiff.ok("logs", "--tail", "1", "timed")).toBe("last")
  expect(await skiff.ok("logs", "--tail", "0", "timed")).toBe("")
})

test("k8s-file is the default, and --log-opt path keeps the file where it is asked for", async () => {
  const directory = join(skiff.directory, "kept-logs")
  mkdirSync(directory)
  chownSync(directory, user.uid, user.gid)
  const path = join(directory, "web.log")
  await skiff.ok("run", "--name", "placed", "--log-opt", `path=${path}`, "busybox", "echo", "here")
  expect(await skiff.ok("inspect", "--format", "{{.HostConfig.LogConfig.Type}} {{.LogPath}}", "placed")).toBe(
    `k8s-file ${path}`,
  )
  expect(readFileSync(path, "utf8")).toMatch(/^\S+ stdout F here\n$/)
  expect(await skiff.ok("logs", "placed")).toBe("here")
  await skiff.ok("rm", "placed")
  // the file is the user's; what is beside it was ours
  expect(readdirSync(directory)).toEqual(["web.log"])
  const { code, stderr } = await skiff.run(["run", "--rm", "--log-opt", "path=web.log", "busybox", "true"])
  expect([code, stderr]).toEqual([125, expect.stringContaining("absolute path")])
})

test("none keeps nothing, and says so; the program's output is still seen", async () => {
  expect(await skiff.ok("run", "--name", "silent", "--log-driver", "none", "busybox", "echo", "seen")).toBe("seen")
  const { code, stderr } = await skiff.run(["logs", "silent"])
  expect(code).toBe(1)
  expect(stderr).toContain(`its log driver is "none"`)
})

test("passthrough gives the program our own streams, and its exit code is ours", async () => {
  const script = "cat; echo out; echo err >&2; exit 7"
  const flags = ["run", "--name", "through", "--log-driver", "passthrough"]
  const { code, stdout, stderr } = await skiff.run([...flags, "-i", "busybox", "sh", "-c", script], { stdin: "in\n" })
  expect([code, stdout]).toEqual([7, "in\nout\n"])
  // a host without a network is told of before
  expect(stderr).toEndWith("err\n")
  expect((await skiff.run(["logs", "through"])).code).toBe(1)
  expect((await skiff.run([...flags, "-t", "busybox", "true"])).code).toBe(125)
})

test("journald hands on to the journal, and is read from there; without one it is refused", async () => {
  const args = [
    "run",
    "--name",
    "journal",
    "--log-driver",
    "journald",
    "busybox",
    "sh",
    "-c",
    "echo kept; echo bad >&2",
  ]
  const { code, stderr } = await skiff.run(args)
  if (!existsSync("/run/systemd/journal/socket")) {
    expect(code).toBe(125)
    expect(stderr).toContain("journald, which does not run here")
    return
  }
  await eventually(async () => {
    const log = await skiff.run(["logs", "journal"])
    expect([log.stdout, log.stderr]).toEqual(["kept\n", "bad\n"])
  })
  expect((await skiff.run(["logs", "-f", "-t", "journal"])).stdout).toMatch(/^\S+Z kept\n$/)
})

test("a log that was written while nobody looked is followed from where it is, over its files", async () => {
  const line = "y".repeat(200)
  const script = `i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo ${line} $i; [ $((i % 30)) = 0 ] && sleep 0.15; done; true`
  const limits = ["--log-opt", "max-size=60k", "--log-opt", "max-file=3"]
  await skiff.ok("run", "-d", "--name", "rotating", ...limits, "busybox", "sh", "-c", script)
  await eventually(async () => (await skiff.ok("logs", "--tail", "1", "rotating")) !== "")
  const { stdout } = await skiff.run(["logs", "-f", "rotating"])
  const numbers = stdout
    .trim()
    .split("\n")
    .map((text) => Number(text.split(" ")[1]))
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index))
  expect(numbers.at(-1)).toBe(300)
  const { LogPath } = JSON.parse(await skiff.ok("inspect", "--format", "json", "rotating")) as { LogPath: string }
  expect(statSync(LogPath).size).toBeLessThan(60 * 1024)
})
