/**
 * Commands of several containers: `--all`, `--latest`, `--filter`, `--cidfile`, `--ignore`, and what stands on what.
 *
 * One user is enough.
 */
import { afterEach, expect, test } from "bun:test"
import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

afterEach(async () => {
  await skiff.ok("rm", "--all", "--force")
})

const sleeper = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, ...flags, "busybox", "sleep", "1000")
const running = async () => (await skiff.ok("ps", "--format", "{{.Names}}")).split("\n").filter(Boolean).toSorted()

test("stop, start, restart and kill take --all, --latest and --filter in place of names", async () => {
  const one = await sleeper("one", "--label", "tier=front", "--stop-signal", "KILL")
  const two = await sleeper("two", "--label", "tier=back", "--stop-signal", "KILL")
  expect(await skiff.ok("stop", "--filter", "label=tier=front")).toBe(one)
  expect(await running()).toEqual(["two"])
  expect(await skiff.ok("start", "--all")).toBe(one)
  expect(await skiff.ok("stop", "--latest")).toBe(two)
  expect(await running()).toEqual(["one"])
  expect(await skiff.ok("restart", "--running")).toBe(one)
  expect(await skiff.ok("restart", "-a", "--time", "0")).toBe(`${one}\n${two}`)
  expect(await skiff.ok("kill", "-a")).toBe(`${one}\n${two}`)
  expect(await running()).toEqual([])
  expect(await skiff.ok("stop", "--all")).toBe("")
})

test("pause --all and unpause --all leave out what cannot be paused", async () => {
  const id = await sleeper("still")
  await skiff.ok("create", "--name", "made", "busybox")
  const { code, stdout, stderr } = await skiff.run(["pause", "-a"])
  if (code !== 0) {
    // an ordinary user has a freezer only where the host delegates cgroups
    expect(stderr).toContain("cgroup")
    return
  }
  expect(stdout.trim()).toBe(id)
  expect(await skiff.ok("unpause", "--filter", "name=still")).toBe(id)
})

test("ids come from files; --ignore leaves out what is not there", async () => {
  const file = join(skiff.directory, "ids")
  writeFileSync(file, `${await skiff.ok("create", "busybox")}\n`)
  chmodSync(file, 0o644)
  await skiff.ok("rm", "--cidfile", file)
  const { code, stderr } = await skiff.run(["rm", "--cidfile", file])
  expect(code).toBe(1)
  expect(stderr).toContain("no such container")
  expect(await skiff.ok("rm", "--ignore", "--cidfile", file, "--cidfile", join(skiff.directory, "none"))).toBe("")
  expect(await skiff.ok("stop", "--ignore", "absent")).toBe("")
})

test("choices that contradict each other are refused with 125, and none at all with 1", async () => {
  const refused: [string[], number, string][] = [
    [["stop", "--all", "--latest"], 125, "--all and --latest cannot be used together"],
    [["rm", "--all", "one"], 125, "no arguments are needed with --all"],
    [["pause", "-l", "one"], 125, "--latest and containers cannot be used together"],
    [["rm", "--time", "3", "one"], 125, "--force option must be specified"],
    [["rm", "--link", "one"], 1, "no legacy links"],
    [["kill"], 1, "'skiff kill' requires at least 1 argument"],
    [["stop", "--latest"], 1, "no latest container"],
  ]
  for (const [args, code, message] of refused) {
    const outcome = await skiff.run(args)
    expect([args, outcome.code, outcome.stderr]).toEqual([args, code, expect.stringContaining(message)])
  }
})

test("rm --depend takes what stands on a container with it", async () => {
  const base = await sleeper("base")
  const guest = await sleeper("guest", "--network", "container:base")
  expect((await skiff.ok("rm", "--force", "--time", "0", "--depend", "base")).split("\n")).toEqual([guest, base])
})

test("--requires starts those containers first, and rm --depend knows of them", async () => {
  await skiff.ok("create", "--name", "database", "busybox", "sleep", "1000")
  await sleeper("web", "--requires", "database")
  expect(await running()).toEqual(["database", "web"])
  const { code, stderr } = await skiff.run(["create", "--requires", "absent", "busybox"])
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('no such container: "absent"') })
})

test("--replace removes the container of that name, once the new one is found right", async () => {
  const old = await sleeper("app")
  expect((await skiff.run(["run", "-d", "--replace", "--name", "app", "no.such/image"])).code).toBe(125)
  expect((await skiff.inspect("app")).Id).toBe(old)
  const fresh = await sleeper("app", "--replace")
  expect((await skiff.inspect("app")).Id).toBe(fresh)
  expect((await skiff.run(["inspect", old])).code).toBe(1)
  expect((await skiff.run(["create", "--replace", "busybox"])).stderr).toContain("--name")
})

test("--timeout kills what runs for longer", async () => {
  const { code } = await skiff.run(["run", "--name", "slow", "--timeout", "1", "busybox", "sleep", "1000"])
  expect(code).toBe(255)
  const { Status, ExitCode, Error } = (await skiff.inspect("slow")).State
  expect({ Status, ExitCode, Error }).toEqual({
    Status: "exited",
    ExitCode: 255,
    Error: "killed after its 1 seconds to run",
  })
})

test("--rmi removes the image with the container, unless another uses it", async () => {
  await skiff.ok("tag", "busybox", "mine:1")
  expect((await skiff.run(["run", "--rmi", "mine:1", "true"])).code).toBe(0)
  await eventually(async () => (await skiff.run(["image", "exists", "mine:1"])).code === 1)
  expect((await skiff.run(["image", "exists", "busybox"])).code).toBe(0)
})

test("wait --condition waits for a state, and prints -1 where it is no end", async () => {
  await skiff.ok("create", "--name", "late", "busybox", "sh", "-c", "sleep 0.3; exit 4")
  const waiting = skiff.ok("wait", "--condition", "running", "late")
  const ended = skiff.ok("wait", "--condition=exited", "late")
  await skiff.ok("start", "late")
  expect(await waiting).toBe("-1")
  expect(await ended).toBe("4")
  await skiff.ok("run", "-d", "--rm", "--name", "brief", "busybox", "sh", "-c", "sleep 1; exit 5")
  expect(await skiff.ok("wait", "--condition=removed", "brief")).toBe("5")
  await skiff.ok("rm", "late")
  expect(await skiff.ok("wait", "--ignore", "late")).toBe("-1")
  expect((await skiff.run(["wait", "--condition", "asleep", "late"])).code).toBe(125)
})

test("wait --exit-first-match ends with the first that ends", async () => {
  await sleeper("long")
  await skiff.ok("run", "-d", "--name", "short", "busybox", "sh", "-c", "exit 6")
  expect(await skiff.ok("wait", "--exit-first-match", "long", "short")).toBe("6")
})

test("exists says by its exit code whether a container, image, volume or network is there", async () => {
  await skiff.ok("create", "--name", "here", "busybox")
  await skiff.ok("volume", "create", "data")
  const answers: [string[], number][] = [
    [["container", "exists", "here"], 0],
    [["container", "exists", "gone"], 1],
    [["container", "exists", "--external", "gone"], 1],
    [["image", "exists", "busybox"], 0],
    [["image", "exists", "gone"], 1],
    [["volume", "exists", "data"], 0],
    [["volume", "exists", "gone"], 1],
    [["network", "exists", "bridge"], 0],
    [["network", "exists", "gone"], 1],
    [["container", "exists", "--wrong", "here"], 125],
  ]
  for (const [args, code] of answers) expect([args, (await skiff.run(args)).code]).toEqual([args, code])
  await skiff.ok("volume", "rm", "data")
})

test("untag takes names away and leaves the image", async () => {
  await skiff.ok("tag", "busybox", "spare:1")
  await skiff.ok("tag", "busybox", "spare:2")
  await skiff.ok("untag", "busybox", "spare:1")
  expect((await skiff.run(["image", "exists", "spare:1"])).code).toBe(1)
  expect((await skiff.run(["untag", "busybox", "spare:1"])).stderr).toContain('no name "spare:1"')
  expect((await skiff.run(["image", "exists", "spare:2"])).code).toBe(0)
  await skiff.ok("rmi", "spare:2")
})

test("container cleanup takes down and, asked to, removes what has ended", async () => {
  const id = await skiff.ok("create", "busybox")
  expect(await skiff.ok("container", "cleanup", "--all")).toBe(id)
  await skiff.ok("container", "cleanup", "--rm", id)
  expect((await skiff.run(["container", "exists", id])).code).toBe(1)
})

test("ps finds containers by the keys of docker and podman", async () => {
  await skiff.ok("create", "--name", "aa", "--label", "x=1", "--expose", "70/udp", "busybox", "sleep", "9")
  await skiff.ok("create", "--name", "bb", "--restart", "always", "-p", "80", "busybox", "true")
  const found = async (...filters: string[]) =>
    (await skiff.ok("ps", "-a", "--format", "{{.Names}}", ...filters.flatMap((one) => ["--filter", one])))
      .split("\n")
      .filter(Boolean)
      .toSorted()
  expect(await found("label!=x=1")).toEqual(["bb"])
  expect(await found("command=sleep")).toEqual(["aa"])
  expect(await found("expose=70/udp")).toEqual(["aa"])
  expect(await found("expose=79-81")).toEqual(["bb"])
  expect(await found("restart-policy=always")).toEqual(["bb"])
  expect(await found("health=none")).toEqual(["aa", "bb"])
  expect(await found("until=1h")).toEqual([])
  expect(await found("until=0s", "name=bb")).toEqual(["bb"])
  expect(await found("status=configured")).toEqual(["aa", "bb"])
  expect(await found("is-task=true")).toEqual([])
  expect((await skiff.run(["ps", "--filter", "health=ill"])).stderr).toContain("starting, healthy, unhealthy, none")
})
