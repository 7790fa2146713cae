/** Wrong commands, as people type them: each with its exit code, what went wrong, where, and what to do next. One user is enough. */
import { beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { outcomeOf } from "../support/skiff.ts"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const path = (name: string) => join(skiff.directory, name)

beforeAll(async () => {
  mkdirSync(path("empty"))
  mkdirSync(path("context"))
  chmodSync(path("empty"), 0o755)
  writeFileSync(path("context/Dockerfile"), "FROM busybox\nCOPPY a b\n")
  await skiff.ok("run", "-d", "--name", "up", "busybox", "sleep", "1000")
  await skiff.ok("create", "--name", "made", "busybox", "sleep", "1000")
})

interface Row {
  args: string[]
  code: number
  /** Of the first line. */
  message: string
  hint: string
}

const table: Row[] = [
  {
    args: ["rm", "up"],
    code: 1,
    message: 'cannot remove container "up": container is running',
    hint: "skiff rm -f up",
  },
  { args: ["rm", "absent"], code: 1, message: 'no such container: "absent"', hint: "skiff ps --all" },
  { args: ["exec", "made", "true"], code: 125, message: 'container "made" is not running', hint: "skiff start made" },
  { args: ["unpause", "made"], code: 1, message: 'container "made" is not paused', hint: "skiff start made" },
  {
    args: ["run", "--name", "up", "busybox"],
    code: 125,
    message: 'the container name "up" is already in use',
    hint: "skiff rm -f up",
  },
  { args: ["run", "--env-file", "absent.env", "busybox"], code: 125, message: "absent.env", hint: "current directory" },
  {
    args: ["run", "-v", "/a:/b:rx", "busybox"],
    code: 125,
    message: 'invalid argument "/a:/b:rx" for "-v, --volume" flag: invalid mode: rx',
    hint: "valid: ro, rw",
  },
  {
    args: ["run", "--mount", "type=bind,source=/no/such,target=/x", "busybox"],
    code: 125,
    message: 'bind source path does not exist: "/no/such" (--mount)',
    hint: "give --volume /no/such:/x",
  },
  {
    args: ["run", "-m", "10m", "--memory-reservation", "20m", "busybox"],
    code: 125,
    message: "the memory reservation is more than the memory limit (--memory-reservation)",
    hint: "maximum: 10485760 bytes",
  },
  { args: ["run", "-m", "1k", "busybox"], code: 125, message: "too small (--memory)", hint: "minimum: 6m" },
  {
    args: ["run", "--memory-swap", "10m", "busybox"],
    code: 125,
    message: "needs a limit of memory (--memory-swap)",
    hint: "give --memory BYTES",
  },
  {
    args: ["run", "--log-driver", "syslog", "busybox"],
    code: 125,
    message: 'unknown log driver "syslog" (--log-driver)',
    hint: "valid: k8s-file, json-file, local, journald, none, passthrough",
  },
  {
    args: ["run", "--security-opt", "zzz", "busybox"],
    code: 125,
    message: 'invalid argument "zzz" for "--security-opt" flag: invalid security option "zzz"',
    hint: "valid: no-new-privileges",
  },
  { args: ["run", "--nmae", "x", "busybox"], code: 125, message: "unknown flag: --nmae", hint: "did you mean --name?" },
  { args: ["rnu", "busybox"], code: 1, message: "unknown command: skiff rnu", hint: "did you mean skiff run?" },
  { args: ["run"], code: 1, message: "'skiff run' requires at least 1 argument", hint: "usage: skiff run [OPTIONS]" },
  {
    args: ["run", "--pull", "never", "absent"],
    code: 125,
    message: 'no such image: "absent"',
    hint: "skiff pull absent",
  },
  { args: ["pull", "127.0.0.1:1/a:1"], code: 1, message: "127.0.0.1:1/a:1: cannot reach 127.0.0.1:1", hint: "address" },
  {
    args: ["ps", "--format", "{{.Nmaes}}"],
    code: 1,
    message: "template parsing error: 1:3: can't evaluate field Nmaes",
    hint: "did you mean Names?",
  },
  {
    args: ["inspect", "--format", "{{.State.Statuss}}", "up"],
    code: 1,
    message: "can't evaluate field Statuss",
    hint: "did you mean Status?",
  },
  {
    args: ["inspect", "--format", "{{.Stat.Zzzzzz}}", "up"],
    code: 1,
    message: "can't evaluate field Stat",
    hint: "did you mean State?",
  },
  { args: ["ps", "--filter", "zzz=1"], code: 1, message: "invalid filter 'zzz'", hint: "valid: ancestor, before" },
  {
    args: ["build", path("empty")],
    code: 1,
    message: "failed to read dockerfile",
    hint: `the directory ${path("empty")} is empty`,
  },
  {
    args: ["build", path("absent")],
    code: 1,
    message: `path "${path("absent")}" not found`,
    hint: "the last argument is the build context",
  },
  { args: ["build", path("context")], code: 1, message: "COPPY", hint: "did you mean COPY?" },
  { args: ["volume", "rm", "absent"], code: 1, message: 'no such volume: "absent"', hint: "skiff volume ls" },
  { args: ["rmi", "absent"], code: 1, message: 'no such image: "absent"', hint: "skiff images" },
  { args: ["logs", "absent"], code: 1, message: 'no such container: "absent"', hint: "skiff ps --all" },
]

describe("refused, with what to do next", () => {
  for (const { args, code, message, hint } of table)
    test(`skiff ${args.join(" ")}`, async () => {
      const outcome = await skiff.run(args, { env: { NO_COLOR: "1" } })
      expect(outcome.code).toBe(code)
      expect(outcome.stderr).toStartWith("skiff: ")
      expect(outcome.stderr).toContain(message)
      expect(outcome.stderr).toContain(hint)
      expect(outcome.stderr).not.toMatch(/[0-9a-f]{64}/)
      expect(outcome.stderr).not.toMatch(/^\s+at .*[:(]\d+/m)
    })
})

test("what a refused run would have been is not there", async () => {
  const before = await skiff.ok("ps", "-aq")
  for (const flags of [
    ["-m", "1k"],
    ["--runtime", "absent"],
    ["-v", "/dev/null:/proc/x"],
    ["--device", "/dev/absent"],
    ["-u", "nobody-of-this-name"],
  ]) {
    const { code, stdout } = await skiff.run(["run", "-d", ...flags, "busybox", "true"])
    expect({ flags, code, stdout }).toEqual({ flags, code: 125, stdout: "" })
  }
  expect(await skiff.ok("ps", "-aq")).toBe(before)
})

test("a port that a container has is refused with that one's name", async () => {
  await skiff.ok("run", "-d", "--name", "first", "-p", "18080:80", "busybox", "sleep", "1000")
  const { code, stderr } = await skiff.run(["run", "-d", "-p", "18080:80", "busybox", "true"])
  expect(code).toBe(125)
  expect(stderr).toContain('port is already allocated by container "first"')
  expect(stderr).toContain("skiff stop first")
  await skiff.ok("rm", "-f", "first")
})

test("rm -f of what is not there says nothing", async () => {
  expect(await skiff.run(["rm", "-f", "absent"])).toEqual({ code: 0, stdout: "", stderr: "" })
})

test("errors have colour where they are wanted, and only there", async () => {
  const plain = await skiff.run(["rm", "absent"])
  expect(plain.stderr).toStartWith("skiff: no such")
  const forced = await skiff.run(["rm", "absent"], { env: { CLICOLOR_FORCE: "1" } })
  expect(forced.stderr).toStartWith("\x1b[31mskiff:\x1b[0m no such")
  const refused = await skiff.run(["rm", "absent"], { env: { CLICOLOR_FORCE: "1", NO_COLOR: "1" } })
  expect(refused.stderr).toBe(plain.stderr)
})

test("the third Ctrl-C ends run, whatever the program makes of it; the container runs on", async () => {
  const child = skiff.spawn(["run", "--name", "deaf", "busybox", "sleep", "1000"])
  const ended = outcomeOf(child)
  await eventually(async () => expect(await skiff.ok("ps", "--format", "{{.Names}}")).toContain("deaf"))
  const interrupts = setInterval(() => child.kill("SIGINT"), 100)
  const { code, stderr } = await ended.finally(() => clearInterval(interrupts))
  expect(code).toBe(1)
  expect(stderr).toContain("got 3 SIGTERM/SIGINTs, forcefully exiting")
  expect(stderr).toContain("skiff stop deaf")
  expect((await skiff.inspect("deaf")).State.Running).toBe(true)
})
