import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { randomBytes } from "node:crypto"
import { rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../../../test/support/wait.ts"
import { findProgram } from "../host.ts"

const TOOLS = ["useradd", "userdel", "setpriv", "newuidmap", "nsenter", "unshare"]
const lacks = process.getuid?.() === 0 ? TOOLS.filter((name) => findProgram(name) === undefined) : ["root"]
if (lacks.length > 0) console.log(`skipped: pauseProcess.test.ts needs ${lacks.join(", ")}`)

const USER_IN_USE = 8

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

// of many runs on one machine each has its own
const name = `skiff-k${randomBytes(6).toString("hex")}`
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

/** The pause processes that live: processes of the user that wait for the lock, or sleep until they take it. */
function pauseProcesses(): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger)
  return pids.filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
      return statSync(`/proc/${pid}`).uid === uid && words.includes(`${directory}/run/skiff`)
    } catch {
      return false
    }
  })
}

const pausePid = () => JSON.parse(readFileSync(`${directory}/run/skiff/pause.json`, "utf8")).pausePid as number

async function noneIsLeft(): Promise<void> {
  while (pauseProcesses().length > 0) await Bun.sleep(5)
}

/** usermod(8) and userdel(8) refuse while a process of the user has not been waited for. */
async function changeAccount(...argv: string[]): Promise<void> {
  const call = () => Bun.spawnSync(argv, { stdio: ["ignore", "ignore", "pipe"] })
  let result = call()
  for (; result.exitCode === USER_IN_USE; result = call()) await Bun.sleep(20)
  expect([result.exitCode, result.stderr.toString().replace(/.*mail spool.*\n/, "")]).toEqual([0, ""])
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch {} // it has ended
}

/** A process that becomes another program has no words for a moment, so each look may miss one: two in a row see none. */
async function endPauseProcesses(): Promise<void> {
  for (let empty = 0; empty < 2; await Bun.sleep(2)) {
    const pids = pauseProcesses()
    for (const pid of pids) kill(pid)
    empty = pids.length === 0 ? empty + 1 : 0
  }
}

/** The one on record, when all that were not told to stay have seen the end of their input. */
async function expectOne(): Promise<void> {
  await eventually(() => expect(pauseProcesses()).toEqual([pausePid()]))
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
    await changeAccount("userdel", "--remove", name)
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
    await expectOne()
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
    await expectOne()
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
      await expectOne()
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
    const edit = (words: string[]) => changeAccount("usermod", ...words, name)
    const [first = 0, count = 0] = range.split(":").map(Number)
    const bounds = `${first}-${first + count - 1}`
    await edit(["--del-subuids", bounds, "--del-subgids", bounds])
    try {
      const single = await run(["unshare", "cat", "/proc/self/uid_map"])
      expect(single.stdout.trim().split(/\s+/)).toEqual(["0", String(uid), "1"])
      expect(single.stderr).toContain("no range of yours in /etc/subuid")
      expect((await run(["look"])).stderr).toBe("")
    } finally {
      await edit(["--add-subuids", bounds, "--add-subgids", bounds])
    }
    expect((await run(["unshare", "cat", "/proc/self/uid_map"])).stdout.trim().split("\n")).toHaveLength(2)
    await expectOne()
    expect(subgid).toContain(name)
  })

  const briefly = { TEST_IDLE_SECONDS: "0.05" }
  test("it ends when nobody has needed the namespaces for a while, and takes record and network namespace along", async () => {
    await look(briefly)
    // by its files, not by /proc, which names a process that calls execve for a moment as another's
    await eventually(() =>
      expect(readdirSync(`${directory}/run/skiff`).toSorted()).toEqual(["namespaces.lock", "pause.lock"]),
    )
    await noneIsLeft()
    await look(briefly)
  })

  test("it stays as long as any program of them does, and ends after that", async () => {
    const member = start(["unshare", "sh", "-c", "echo in; exec sleep 60"], briefly)
    await member.stdout.getReader().read()
    const first = pausePid()
    // each of these wakes it
    for (let round = 0; round < 8; round++) {
      expect((await run(["unshare", "true"], briefly)).code).toBe(0)
      await Bun.sleep(round * 20)
    }
    expect(pausePid()).toBe(first)
    await expectOne()
    member.kill("SIGKILL")
    await member.exited
    await noneIsLeft()
  })

  test("a command that comes while it ends is in namespaces that stay", async () => {
    const netns = `${directory}/run/skiff/rootless.netns`
    // the command lives longer than the idle time: were the pause process to end under it, its network would be gone
    const script = `sleep 0.1; nsenter --net="$0" readlink /proc/self/ns/net`
    const counts = { found: 0, made: 0 }
    let last = ""
    let [delayMs, stepMs, wasFound] = [60, 3, false]
    for (let round = 0; round < 40; round++) {
      const { code, stdout, stderr } = await run(["unshare", "sh", "-c", script, netns], briefly)
      expect({ code, stderr, isNamespace: stdout.startsWith("net:[") }).toEqual({
        code: 0,
        stderr: "",
        isNamespace: true,
      })
      const isFound = stdout === last
      counts[isFound ? "found" : "made"]++
      last = stdout
      // on and on around the moment at which it decides to end, which is far off where the machine is busy
      stepMs = isFound === wasFound ? stepMs * 1.5 : 3
      wasFound = isFound
      delayMs = Math.max(0, delayMs + (isFound ? stepMs : -stepMs))
      await Bun.sleep(delayMs)
    }
    expect(counts.found).toBeGreaterThan(0)
    expect(counts.made).toBeGreaterThan(1)
    await noneIsLeft()
  }, 120_000)
})
