import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { findProgram } from "../host.ts"

const TOOLS = ["useradd", "userdel", "setpriv", "newuidmap", "nsenter", "unshare"]
const lacks = process.getuid?.() === 0 ? TOOLS.filter((name) => findProgram(name) === undefined) : ["root"]
if (lacks.length > 0) console.log(`skipped: pauseProcess.test.ts needs ${lacks.join(", ")}`)

interface Seen {
  argv: string[]
  cwd: string
  uid: number
  rootlessUid?: number
  rootlessGid?: number
  netnsFile?: string
  runRoot: string
  user: string
  mount: string
  net: string
}

const name = `skiff-k${process.pid}`
let directory = ""
let home = ""
let uid = 0
let gid = 0

/** Runs the program as the ordinary user, with only these variables. */
function start(words: string[], env: Record<string, string> = {}, cwd = home) {
  const own = { PATH: "/usr/bin:/bin", HOME: home, XDG_RUNTIME_DIR: `${directory}/run`, ...env }
  const user = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"]
  return Bun.spawn([...user, `${directory}/entered`, ...words], { cwd, env: own, stdout: "pipe", stderr: "pipe" })
}

async function run(words: string[], env?: Record<string, string>, cwd?: string) {
  const child = start(words, env, cwd)
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { code: await child.exited, stdout, stderr }
}

async function look(env?: Record<string, string>, cwd?: string): Promise<Seen> {
  const { code, stdout, stderr } = await run(["look"], env, cwd)
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  return JSON.parse(stdout) as Seen
}

/** The pauseProcesses that live: processes of the user that only sleep. */
function pauseProcesses(): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger)
  return pids.filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8")
      return statSync(`/proc/${pid}`).uid === uid && command === "sleep\0infinity\0"
    } catch {
      return false
    }
  })
}

const pausePid = () => JSON.parse(readFileSync(`${directory}/run/skiff/pause.json`, "utf8")).pausePid as number

async function endPauseProcesses(): Promise<void> {
  for (const pid of pauseProcesses()) process.kill(pid, "SIGKILL")
  while (pauseProcesses().length > 0) await Bun.sleep(2)
}

describe.skipIf(lacks.length > 0)("the rootless namespaces of an ordinary user", () => {
  beforeAll(async () => {
    directory = mkdtempSync("/tmp/skiff-pauseProcess-test-")
    home = `${directory}/home`
    chmodSync(directory, 0o755)
    // compiled: the user may not be able to read this directory
    const build = [process.execPath, "build", "--compile", join(import.meta.dir, "testdata/entered.ts"), "--outfile"]
    for (const argv of [
      [...build, `${directory}/entered`],
      ["useradd", "--create-home", "--home-dir", home, name],
    ])
      expect(Bun.spawnSync(argv, { stdout: "ignore", stderr: "pipe" }).exitCode).toBe(0)
    ;({ uid, gid } = statSync(home))
  })

  beforeEach(async () => {
    await endPauseProcesses()
    rmSync(`${directory}/run`, { recursive: true, force: true })
    mkdirSync(`${directory}/run`, { mode: 0o700 })
    chownSync(`${directory}/run`, uid, gid)
  })

  afterAll(async () => {
    await endPauseProcesses()
    Bun.spawnSync(["userdel", "--remove", name], { stderr: "ignore" })
    rmSync(directory, { recursive: true, force: true })
  })

  test("a command is root of its own user and mount namespace, in the host's network", async () => {
    const seen = await look()
    expect(seen).toMatchObject({ uid: 0, rootlessUid: uid, rootlessGid: gid, cwd: home, argv: ["look"] })
    expect(seen.net).toBe(readlinkSync("/proc/self/ns/net"))
    expect(seen.user).not.toBe(readlinkSync("/proc/self/ns/user"))
    expect(seen.netnsFile).toBe(`${directory}/run/skiff/rootless.netns`)
    const map = await run(["unshare", "cat", "/proc/self/uid_map"])
    expect(map.stdout.trim().split(/\s+/).slice(0, 4)).toEqual(["0", String(uid), "1", "1"])
  })

  test("words, working directory and exit code are kept", async () => {
    mkdirSync(`${directory}/a b`, { recursive: true })
    const { stdout } = await run(["look", "--", "é  x", "", "$HOME"], {}, `${directory}/a b`)
    expect(JSON.parse(stdout)).toMatchObject({ argv: ["look", "--", "é  x", "", "$HOME"], cwd: `${directory}/a b` })
    expect((await run(["unshare", "sh", "-c", "exit 7"])).code).toBe(7)
  })

  test("twenty first commands at once make one set of namespaces", async () => {
    const seen = await Promise.all(Array.from({ length: 20 }, async () => await look()))
    expect(new Set(seen.map(({ mount }) => mount)).size).toBe(1)
    expect(pauseProcesses()).toEqual([pausePid()])
  })

  test("the namespaces' network namespace is bound where rootlessNetns() says", async () => {
    const { netnsFile = "" } = await look()
    const inside = await run(["unshare", "nsenter", `--net=${netnsFile}`, "readlink", "/proc/self/ns/net"])
    expect(inside.stdout).toMatch(/^net:\[\d+\]\n$/)
    expect(inside.stdout.trim()).not.toBe(readlinkSync("/proc/self/ns/net"))
  })

  test("a killed pause process is replaced from within while a process in its namespaces lives", async () => {
    const before = await look()
    const member = start(["unshare", "sh", "-c", "echo in; exec sleep 60"])
    await member.stdout.getReader().read()
    const old = pausePid()
    process.kill(old, "SIGKILL")
    const after = await look()
    expect([after.user, after.mount]).toEqual([before.user, before.mount])
    expect(pausePid()).not.toBe(old)
    member.kill("SIGKILL")
    await member.exited
    expect((await look()).mount).toBe(before.mount)
  })

  test("a killed pause process of which nothing is left is replaced along with its namespaces", async () => {
    await look()
    await endPauseProcesses()
    await look()
    expect(pauseProcesses()).toEqual([pausePid()])
  })

  test("a record that names another process, or is broken, is not trusted", async () => {
    const { user } = await look()
    const file = `${directory}/run/skiff/pause.json`
    const record = JSON.parse(readFileSync(file, "utf8"))
    await endPauseProcesses()
    for (const text of [JSON.stringify({ ...record, pausePid: process.pid }), "{", "null", "[]", '{"pausePid":-1}']) {
      writeFileSync(file, text)
      expect((await look()).user).not.toBe(readlinkSync("/proc/self/ns/user"))
      await endPauseProcesses()
    }
    expect(user).toStartWith("user:")
  })

  test("a launcher killed at any moment leaves at most the pause process that the next command uses", async () => {
    for (let delay = 0; delay < 48; delay += 2) {
      const child = start(["look"])
      await Bun.sleep(delay)
      child.kill("SIGKILL")
      await child.exited
      await look()
      // one that was not told to stay sees the end of its input
      for (let tries = 0; tries < 100 && pauseProcesses().length > 1; tries++) await Bun.sleep(5)
      expect(pauseProcesses()).toEqual([pausePid()])
      if (delay % 8 === 0) await endPauseProcesses()
    }
  }, 30_000)

  test("variables set by hand change nothing", async () => {
    for (const value of ["0", "5", String(uid), "x", ""])
      expect(await look({ _SKIFF_ROOTLESS_UID: value })).toMatchObject({ uid: 0, rootlessUid: uid })
    const { stdout } = await run(["unshare", "env", "_SKIFF_ROOTLESS_UID=77", `${directory}/entered`, "look"])
    expect(JSON.parse(stdout).rootlessUid).toBeUndefined()
    const root = Bun.spawnSync([`${directory}/entered`, "look"], { env: { _SKIFF_ROOTLESS_UID: String(uid) } })
    const seen = JSON.parse(root.stdout.toString()) as Seen
    expect([seen.rootlessUid, seen.runRoot]).toEqual([undefined, "/run/skiff"])
  })

  test("a run directory that is a link, or another user's, is refused (CVE-2014-0047)", async () => {
    symlinkSync(home, `${directory}/run/skiff`)
    const linked = await run(["run", "x"])
    expect([linked.code, linked.stdout]).toEqual([1, ""])
    expect(linked.stderr).toContain("is a symbolic link")
    rmSync(`${directory}/run/skiff`)
    mkdirSync(`${directory}/run/skiff`)
    expect((await run(["ps"])).stderr).toContain("of another user (uid 0)")
    const others = await run(["ps"], { XDG_RUNTIME_DIR: "/run" })
    expect([others.code, others.stderr]).toEqual([1, expect.stringContaining('XDG_RUNTIME_DIR "/run" is not')])
    expect(readdirSync(home)).not.toContain("pause.json")
    expect(pauseProcesses()).toEqual([])
  })

  test("without a subordinate range one id is mapped, until there is a range", async () => {
    const [subuid, subgid] = ["/etc/subuid", "/etc/subgid"].map((file) => readFileSync(file, "utf8")) as [
      string,
      string,
    ]
    const range = new RegExp(`^${name}:(.*)$`, "m").exec(subuid)?.[1] ?? "1000000:65536"
    const edit = (words: string[]) => Bun.spawnSync(["usermod", ...words, name])
    const [first = 0, count = 0] = range.split(":").map(Number)
    const bounds = `${first}-${first + count - 1}`
    edit(["--del-subuids", bounds, "--del-subgids", bounds])
    try {
      const single = await run(["unshare", "cat", "/proc/self/uid_map"])
      expect(single.stdout.trim().split(/\s+/)).toEqual(["0", String(uid), "1"])
      expect(single.stderr).toContain("no range of yours in /etc/subuid")
      expect((await run(["look"])).stderr).toBe("")
    } finally {
      edit(["--add-subuids", bounds, "--add-subgids", bounds])
    }
    expect((await run(["unshare", "cat", "/proc/self/uid_map"])).stdout.trim().split("\n")).toHaveLength(2)
    for (let tries = 0; tries < 100 && pauseProcesses().length > 1; tries++) await Bun.sleep(5)
    expect(pauseProcesses()).toEqual([pausePid()])
    expect(subgid).toContain(name)
  })
})
