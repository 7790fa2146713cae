/** `skiff system reset`: afterwards the host is as it was before the first command. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { kernelNames } from "../../src/network/names.ts"
import { makeContext } from "../support/build.ts"
import { hostState, pauseProcessOf } from "../support/host-state.ts"
import { bridgesOf } from "../support/remove-network.ts"
import { outcomeOf, Skiff } from "../support/skiff.ts"
import { busyboxReference } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

let skiff: Skiff

beforeEach(async () => {
  skiff = new Skiff()
  const reference = await busyboxReference()
  await skiff.ok("pull", "-q", reference)
  await skiff.ok("tag", reference, "busybox")
})
// a store that was reset is made anew by this, which is to work
afterEach(() => skiff.close(), 60_000)

/** Processes that name the store, pasta and the pause process too. */
function processesOfStore(): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      return /^\d+$/.test(pid) && line.includes(`${skiff.directory}/`) ? [`${pid} ${line}`] : []
    } catch {
      return []
    }
  })
}

async function expectNothingOfIt(pauseProcess: number | undefined): Promise<void> {
  expect([existsSync(skiff.root), existsSync(skiff.runRoot)]).toEqual([false, false])
  await skiff.leavesNothing(10_000, async () => {})
  expect(processesOfStore()).toEqual([])
  if (user.rootless) {
    expect(pauseProcess).toBeNumber()
    // of a dead process that nobody has waited for, the command line is empty
    expect(existsSync(`/proc/${pauseProcess}`) && readFileSync(`/proc/${pauseProcess}/cmdline`, "utf8")).toBeFalsy()
    return
  }
  const { bridge, table } = kernelNames(skiff.runRoot, false)
  expect(spawnSync("ip", ["link", "show", bridge]).status).not.toBe(0)
  expect(spawnSync("nft", ["list", "ruleset"]).stdout.toString()).not.toContain(table)
}

test("it removes all that was made, running containers too, and the next command begins anew", async () => {
  await skiff.ok("run", "-d", "--name", "web", "-p", "127.0.0.1::80", "-v", "data:/data", "busybox", "sleep", "1000")
  await skiff.ok("create", "--name", "other", "busybox", "true")
  await skiff.ok("build", "-q", "-t", "built", makeContext(skiff, { Dockerfile: "FROM busybox\nRUN touch /made\n" }))
  await skiff.ok("builder", "from", "busybox")
  const follower = outcomeOf(skiff.spawn(["logs", "-f", "web"]))
  const pauseProcess = pauseProcessOf(skiff.directory)
  expect(hostState(skiff.directory).processes).not.toEqual([])

  expect(await skiff.ok("system", "reset", "--force")).toBe(`Removed ${skiff.root} and ${skiff.runRoot}`)
  await follower // it has ended with its container
  await eventually(() => expectNothingOfIt(pauseProcess))

  expect(await skiff.ok("ps", "-aq")).toBe("")
  expect(await skiff.ok("images", "-q")).toBe("")
  expect(await skiff.ok("volume", "ls", "-q")).toBe("")
})

describe("the question", () => {
  test("names what goes; only yes is consent", async () => {
    await skiff.ok("network", "create", "lan")
    await skiff.ok("create", "--name", "kept", "-v", "data:/data", "busybox", "true")
    const { code, stdout } = await skiff.run(["system", "reset"], { stdin: "n\n" })
    expect(code).toBe(1)
    for (const line of [
      "1 container\n",
      "1 image,",
      "1 volume, with all data: data",
      "1 network, and the default one: lan",
      skiff.root,
    ])
      expect(stdout).toContain(line)
    expect(await skiff.ok("ps", "-a", "--format", "{{.Names}}")).toBe("kept")

    expect((await skiff.run(["system", "reset"], { stdin: "y\n" })).code).toBe(0)
    expect(existsSync(skiff.root)).toBe(false)
    if (!user.rootless) expect(bridgesOf(skiff.runRoot)).toEqual([])
  })
})

test("it can be repeated, and does nothing to an empty store", async () => {
  await skiff.ok("system", "reset", "-f")
  await skiff.ok("system", "reset", "-f")
  expect(existsSync(skiff.root)).toBe(false)
})

test("pods go with their namespaces, and the first process of shared ones", async () => {
  await skiff.ok("pod", "create", "--name", "shared", "--share", "net,pid")
  await skiff.ok("run", "-d", "--pod", "shared", "busybox", "sleep", "1000")
  await skiff.ok("pod", "create", "--name", "started")
  await skiff.ok("pod", "start", "started")
  await skiff.ok("system", "reset", "--force")
  expect(existsSync(skiff.root)).toBe(false)
  await eventually(() => expect(processesOfStore()).toEqual([]))
})

test("pods that controllers keep go, and are not made again meanwhile", async () => {
  await skiff.ok("kube", "create", "deployment", "web", "--image", "busybox", "--replicas", "2", "--", "sleep", "1000")
  await skiff.ok("kube", "expose", "deployment", "web", "--port", "80")
  await eventually(async () => {
    expect(await skiff.ok("kube", "get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}")).toBe("2")
  })
  const pauseProcess = pauseProcessOf(skiff.directory)
  await skiff.ok("system", "reset", "-f")
  await expectNothingOfIt(pauseProcess)
}, 60_000)

test("a build that runs meanwhile is named, and the images stay", async () => {
  const context = makeContext(skiff, { Dockerfile: "FROM busybox\nRUN echo begun; sleep 1000\n" })
  const build = skiff.spawn(["build", "--progress", "plain", context])
  const ended = outcomeOf(build, 60_000)
  let shown = ""
  build.stderr?.on("data", (text: string) => (shown += text))
  await eventually(() => expect(shown).toContain("begun"))

  const { code, stderr } = await skiff.run(["system", "reset", "-f"])
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("another skiff is at work") })
  expect(stderr).toContain(`build --progress plain ${context}`)
  expect(await skiff.ok("images", "-q")).not.toBe("")

  build.kill("SIGTERM")
  await ended
  await skiff.ok("system", "reset", "-f")
  expect(existsSync(skiff.root)).toBe(false)
}, 90_000)

test("damaged records are said to be so, and can be reset with a container that runs", async () => {
  await skiff.ok("run", "-d", "--name", "web", "-p", "127.0.0.1::80", "busybox", "sleep", "1000")
  const pauseProcess = pauseProcessOf(skiff.directory)
  for (const end of ["-wal", "-shm"]) rmSync(join(skiff.root, `skiff.db${end}`), { force: true })
  writeFileSync(join(skiff.root, "skiff.db"), Buffer.alloc(8192, 0x5a))

  const { code, stderr } = await skiff.run(["ps"])
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/skiff\.db" are damaged\n.*system reset/),
  })
  expect((await skiff.run(["system", "reset"], { stdin: "n\n" })).stdout).toContain("the records cannot be read")
  await skiff.ok("system", "reset", "-f")
  await eventually(() => expectNothingOfIt(pauseProcess))
})
