/**
 * The caller's environment and the directories above a store: neither makes the executable do what it is not told to.
 *
 * One user is enough.
 */
import { afterAll, describe, expect, test } from "bun:test"
import { spawnSync, type SpawnSyncReturns } from "node:child_process"
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { executable, releaseExecutable } from "../support/skiff.ts"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const evil = join(skiff.home, "evil.js")
const trace = join(skiff.home, "written")
writeFileSync(evil, `console.log("taken"); require("node:fs").writeFileSync(${JSON.stringify(trace)}, "taken")`)
chmodSync(evil, 0o644)
chownSync(evil, user.uid, user.gid)
afterAll(() => expect(existsSync(trace)).toBe(false))

const ours = (args: readonly string[], env: Record<string, string> = {}): SpawnSyncReturns<string> =>
  spawnSync([...user.prefix, releaseExecutable()][0] ?? "", [...user.prefix, releaseExecutable(), ...args].slice(1), {
    env: { ...skiff.env, ...env },
    cwd: skiff.directory,
    encoding: "utf8",
    timeout: 30_000,
  })
const shown = ({ status, stdout, stderr }: SpawnSyncReturns<string>) => ({ status, stdout, stderr })

describe("what steers the runtime under us does nothing", () => {
  const plain = shown(ours(["version"]))
  const table: Record<string, string> = {
    BUN_OPTIONS: `--preload=${evil}`,
    bun_options: `--preload=${evil}`,
    BUN_BE_BUN: "1",
    BUN_INSPECT: "127.0.0.1:0",
    BUN_INSPECT_PRELOAD: evil,
    BUN_INSPECT_CONNECT_TO: "127.0.0.1:9",
    BUN_JSC_dumpOptions: "1",
    BUN_CONFIG_VERBOSE_FETCH: "1",
    BUN_GARBAGE_COLLECTOR_LEVEL: "2",
    BUN_INTERNAL_BUNX_INSTALL: "1",
    BUN_WATCHER_TRACE: trace,
    BUN_BYTECODE_ORDER_OUT: trace,
    BUN_BYTECODE_DIGEST_OUT: trace,
    JSC_dumpOptions: "2",
    MIMALLOC_VERBOSE: "1",
    mimalloc_show_stats: "1",
    NODE_OPTIONS: `--require=${evil}`,
    NODE_ENV: "test",
    NODE_DEBUG: "*",
    NODE_CHANNEL_FD: "1",
    NODE_UNIQUE_ID: "1",
    NODE_EXTRA_CA_CERTS: evil,
    NODE_V8_COVERAGE: trace,
    LD_LIBRARY_PATH: skiff.home,
  }
  for (const [name, value] of Object.entries(table))
    test(name, () => expect(shown(ours(["version"], { [name]: value }))).toEqual(plain))

  test("all that the executable has names for, at once", () => {
    const text = readFileSync(releaseExecutable(), "latin1")
    const names = [...new Set(text.match(/\b(?:BUN|NODE|JSC|MIMALLOC)_[A-Z][A-Z_0-9]{2,60}\b/g))]
    expect(names.length).toBeGreaterThan(100)
    expect(shown(ours(["version"], Object.fromEntries(names.map((name) => [name, evil]))))).toEqual(plain)
  })

  test("BUN_BE_BUN makes no Bun of it that runs a script", () => {
    for (const args of [["-e", 'console.log("taken")'], ["run", evil], [evil], ["x", "cowsay"]]) {
      const { status, stdout } = ours(args, { BUN_BE_BUN: "1" })
      expect(stdout).not.toContain("taken")
      expect(status).toBeGreaterThan(0)
    }
  })

  test("NODE_TLS_REJECT_UNAUTHORIZED lets no certificate pass", async () => {
    const key = join(skiff.home, "key.pem")
    const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1 -addext
      subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${key}.crt`
    expect(spawnSync("openssl", words.split(/\s+/)).status).toBe(0)
    await using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { key: readFileSync(key), cert: readFileSync(`${key}.crt`) },
      fetch: () => new Response("{}"),
    })
    const args = ["pull", `127.0.0.1:${server.port}/a/b:1`]
    const child = Bun.spawn([...user.prefix, releaseExecutable(), ...args], {
      env: { ...skiff.env, NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_EXTRA_CA_CERTS: `${key}.crt` },
      cwd: skiff.directory,
      stdio: ["ignore", "ignore", "pipe"],
    })
    expect(await new Response(child.stderr).text()).toMatch(/certificate/i)
    expect(await child.exited).toBe(1)
  })

  test("--env, --env-file and --secret give what the caller has by such a name", () => {
    const env = { NODE_ENV: "production", LD_LIBRARY_PATH: "/opt/lib", BUN_OPTIONS: `--preload=${evil}` }
    const file = join(skiff.home, "variables")
    writeFileSync(file, "BUN_OPTIONS\nNODE_ABSENT\n", { mode: 0o644 })
    const flags = ["-e", "NODE_ENV", "-e", "LD_LIBRARY_PATH", "--env-file", file]
    const { stdout, stderr } = ours(["run", "--rm", "--network", "none", ...flags, "busybox", "env"], env)
    expect(stderr).toBe("")
    for (const [name, value] of Object.entries(env)) expect(stdout.split("\n")).toContain(`${name}=${value}`)
    expect(stdout).not.toMatch(/^!|ABSENT/m)

    const context = join(skiff.home, "context")
    mkdirSync(context)
    chownSync(context, user.uid, user.gid)
    const step = "FROM busybox\nARG NODE_ENV\nRUN --mount=type=secret,id=t echo $NODE_ENV and $(cat /run/secrets/t)\n"
    writeFileSync(join(context, "Dockerfile"), step)
    const words = [
      "build",
      "--progress=plain",
      "--build-arg",
      "NODE_ENV",
      "--secret",
      "id=t,env=NODE_AUTH_TOKEN",
      context,
    ]
    expect(ours(words, { ...env, NODE_AUTH_TOKEN: "hush" }).stderr).toContain("production and hush")
  })

  test("programs that we start do not get them either", async () => {
    const env = { LD_LIBRARY_PATH: "/opt/lib", BUN_OPTIONS: "--smol", NODE_OPTIONS: "--inspect" }
    const { status, stdout } = ours(["run", "-d", "--network", "none", "busybox", "sleep", "60"], env)
    expect(status).toBe(0)
    const id = stdout.trim()
    const { State } = await skiff.inspect(id)
    // of root's namespace, whoever runs the container: the monitor is the parent of the program
    const found = spawnSync("pgrep", ["-f", `conmon.*${id}`], { encoding: "utf8" })
      .stdout.trim()
      .split("\n")
    expect(State.Running).toBe(true)
    expect(found.length).toBeGreaterThan(0)
    for (const pid of found)
      expect(readFileSync(`/proc/${pid}/environ`, "latin1")).not.toMatch(/(?:^|\0)(?:LD|BUN|NODE)_/)
    await skiff.ok("rm", "-f", id)
  })
})

describe("SKIFF_CRASH_AT", () => {
  const create = ["create", "--network", "none", "busybox"]
  const env = { SKIFF_CRASH_AT: "create:recorded" }

  test("means nothing to the executable that people run", async () => {
    const { status, stdout } = ours(create, env)
    expect(status).toBe(0)
    await skiff.ok("rm", stdout.trim())
  })

  test("ends the one that is built for tests", async () => {
    expect((await skiff.run(create, { env })).code).toBe(137)
    expect(executable()).not.toBe(releaseExecutable())
  })
})

function expectRefused(path: string, why: RegExp): void {
  for (const name of ["SKIFF_ROOT", "SKIFF_RUN_ROOT"]) {
    const { status, stderr } = ours(["ps"], { [name]: path })
    expect(stderr).toMatch(why)
    expect(status).toBe(1)
  }
}

describe("a store is refused", () => {
  let count = 0
  /** Directories in each other, owned by the user; gives the innermost. */
  function directories(...modes: number[]): string {
    let path = join(skiff.directory, `above-${count++}`)
    for (const mode of modes) {
      mkdirSync(path)
      chownSync(path, user.uid, user.gid)
      chmodSync(path, mode)
      path = join(path, "in")
    }
    return path
  }
  test("below a directory that everybody may write to", () => {
    expectRefused(directories(0o777), /everybody may write to ".*above-\d+" above it/)
    expectRefused(directories(0o777, 0o700), /everybody may write to ".*above-\d+" above it/)
  })

  test("by a link, below such a directory", () => {
    const inside = directories(0o777, 0o700, 0o755)
    const path = join(directories(0o755), "..", "link")
    symlinkSync(join(inside, ".."), path)
    expectRefused(join(path, "store"), /everybody may write/)
  })

  testUnless(asRootOnly)("below another user's directory, or one of another group", () => {
    const path = directories(0o755, 0o755)
    chownSync(join(path, ".."), 12_345, 0)
    expectRefused(path, /uid 12345 may write/)
    const ofGroup = directories(0o775)
    chownSync(join(ofGroup, ".."), 0, 12_345)
    expectRefused(ofGroup, /group 12345 may write/)
  })

  test("and not below a sticky one, nor one of the user's own group", () => {
    for (const path of [directories(0o1777), directories(0o775), directories(0o755, 0o1777, 0o700)]) {
      const { status, stderr } = ours(["ps", "-q"], { SKIFF_ROOT: path })
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
    }
  })
})
