/** Checkpoints: a container is written down and goes on, here, as another one, or of an image. By CRIU and runc alone. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { createConnection, type Socket } from "node:net"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore, rootlessOnly, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

/** Why nothing can be checkpointed here, or false. */
function whyNot(): string | false {
  if (user.rootless) return "asked of root only"
  const env = { PATH: user.env.PATH }
  if (spawnSync("runc", ["--version"], { env }).status !== 0) return "no runc here"
  const { status, stderr } = spawnSync("criu", ["check"], { env })
  if (status === null) return "no criu here"
  return status !== 0 && `criu check: ${stderr.toString().trim().split("\n").at(-1)}`
}
const noCriu = whyNot()
const counts = (loop = "sleep 0.05") => `i=0; while :; do i=$((i+1)); echo $i; echo $i > /count; ${loop}; done`
const runc = (...args: string[]) => skiff.ok("--runtime", "runc", ...args)

async function lastCount(name: string): Promise<number> {
  return Number((await skiff.ok("logs", "--tail", "1", name)).trim())
}

const status = (name: string) => skiff.ok("inspect", "-f", "{{.State.Status}}", name)

/** It counts on from where it was, and not from one. */
async function expectGoesOn(name: string, from: number): Promise<void> {
  await eventually(async () => {
    const now = Number(await skiff.ok("exec", name, "cat", "/count"))
    expect(now).toBeGreaterThan(from)
  })
}

describe("a container by runc", () => {
  beforeAll(async () => {
    if (noCriu) return
    await runc("run", "-d", "--name", "counts", "--network", "none", "busybox", "sh", "-c", counts())
    await eventually(async () => expect(await lastCount("counts")).toBeGreaterThan(3))
  })

  testUnless(noCriu)("is written down, ends, and goes on from there; how long it stood still is said", async () => {
    const { stdout, stderr, code } = await skiff.run(["container", "checkpoint", "counts"])
    expect({ code, stdout }).toEqual({ code: 0, stdout: "counts\n" })
    expect(stderr).toMatch(/^[0-9a-f]{12}: frozen for \d+\.\d ms$/m)
    expect(await status("counts")).toBe("exited")
    const at = await lastCount("counts")
    expect(await skiff.ok("container", "restore", "counts")).toBe("counts")
    expect(await status("counts")).toBe("running")
    await expectGoesOn("counts", at)
    expect(await skiff.ok("exec", "counts", "ip", "addr", "show", "lo")).toContain("LOOPBACK,UP")
    // the checkpoint was used up
    const again = await skiff.run(["container", "restore", "counts"])
    expect(again.stderr).toContain("is running or paused, cannot restore")
  })

  testUnless(noCriu)("goes on while it is exported, and another one is made of the archive", async () => {
    const file = join(skiff.home, "counts.tar.zst")
    await skiff.ok("exec", "counts", "sh", "-c", "echo mark > /root/mark; rm /etc/group")
    const statistics = JSON.parse(
      await skiff.ok("container", "checkpoint", "-R", "--print-stats", "-e", file, "counts"),
    )
    expect(statistics.container_statistics[0].criu_statistics.frozen_time).toBeGreaterThan(0)
    expect(await status("counts")).toBe("running")
    const names = spawnSync("sh", ["-c", `zstd -dc ${file} | tar -t`])
      .stdout.toString()
      .split("\n")
    for (const name of [
      "config.dump",
      "spec.dump",
      "network.status",
      "dump.log",
      "stats-dump",
      "rootfs-diff.tar",
      "checkpoint/inventory.img",
    ])
      expect(names).toContain(name)
    const at = await lastCount("counts")
    await skiff.ok("container", "restore", "--import", file, "--name", "second")
    await expectGoesOn("second", at)
    expect(await skiff.ok("exec", "second", "cat", "/root/mark")).toBe("mark")
    expect((await skiff.run(["exec", "second", "cat", "/etc/group"])).code).not.toBe(0)
    const inspected = await skiff.inspect("second")
    expect(inspected.Id).not.toBe((await skiff.inspect("counts")).Id)
    const cgroup = readFileSync(`/proc/${inspected.State.Pid}/cgroup`, "utf8")
    expect(cgroup).toContain(inspected.Id)
    await skiff.ok("rm", "-f", "second")
  })

  testUnless(noCriu)("becomes an image that containers are restored from", async () => {
    await skiff.ok("container", "checkpoint", "--leave-running", "--create-image", "counts:checkpoint", "counts")
    const at = await lastCount("counts")
    await skiff.ok("container", "restore", "--name", "of-image", "counts:checkpoint")
    await expectGoesOn("of-image", at)
    await skiff.ok("rm", "-f", "of-image")
    await skiff.ok("rmi", "counts:checkpoint")
  })

  testUnless(noCriu)("has docker's named checkpoints, to go back to more than once", async () => {
    expect(await skiff.ok("checkpoint", "create", "--leave-running", "counts", "one")).toBe("one")
    const at = Number(await skiff.ok("exec", "counts", "cat", "/count"))
    const twice = await skiff.run(["checkpoint", "create", "--leave-running", "counts", "one"])
    expect(twice.stderr).toContain('checkpoint with name "one" already exists')
    expect(await skiff.ok("checkpoint", "ls", "counts")).toBe("CHECKPOINT NAME\none")
    for (let round = 0; round < 2; round++) {
      await skiff.ok("stop", "-t", "0", "counts")
      expect(await skiff.ok("start", "--checkpoint", "one", "counts")).toBe("counts")
      await expectGoesOn("counts", at)
    }
    await skiff.ok("checkpoint", "rm", "counts", "one")
    expect(await skiff.ok("checkpoint", "ls", "--format", "{{.Name}}", "counts")).toBe("")
    expect((await skiff.run(["checkpoint", "create", "counts", "../x"])).stderr).toContain("invalid checkpoint name")
  })

  testUnless(noCriu)("keeps a connection and its address, where that is asked for", async () => {
    await runc("run", "-d", "--name", "serves", "busybox", "nc", "-ll", "-p", "80", "-e", "cat")
    const { NetworkSettings } = await skiff.inspect("serves")
    const socket = await connected(NetworkSettings.IPAddress)
    expect(await echoed(socket, "before\n")).toBe("before\n")
    const refused = await skiff.run(["container", "checkpoint", "serves"])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain("could not be checkpointed")
    expect(await echoed(socket, "still\n")).toBe("still\n")
    await skiff.ok("container", "checkpoint", "--tcp-established", "serves")
    await skiff.ok("container", "restore", "--tcp-established", "serves")
    expect(await echoed(socket, "after\n")).toBe("after\n")
    expect((await skiff.inspect("serves")).NetworkSettings.IPAddress).toBe(NetworkSettings.IPAddress)
    socket.destroy()
    await skiff.ok("rm", "-f", "serves")
  })

  testUnless(noCriu)("with a terminal, volumes and tmpfs goes on with all of them", async () => {
    const script = `echo in-tmpfs > /scratch/x; exec 4>>/data/file; ${counts("echo $i >&4; sleep 0.05").replace("> /count", "> /scratch/count")}`
    await runc(
      "run",
      "-dt",
      "--name",
      "full",
      "-v",
      "ckdata:/data",
      "--tmpfs",
      "/scratch",
      "--network",
      "none",
      "busybox",
      "sh",
      "-c",
      script,
    )
    await eventually(async () =>
      expect(Number(await skiff.ok("exec", "full", "cat", "/scratch/count"))).toBeGreaterThan(3),
    )
    const file = join(skiff.home, "full.tar")
    await skiff.ok("container", "checkpoint", "-c", "none", "-e", file, "full")
    await skiff.ok("rm", "-v", "full")
    await skiff.ok("volume", "rm", "ckdata")
    await skiff.ok("container", "restore", "-i", file)
    expect(await skiff.ok("exec", "full", "cat", "/scratch/x")).toBe("in-tmpfs")
    const lines = (await skiff.ok("exec", "full", "cat", "/data/file")).split("\n").map(Number)
    expect(lines.slice(0, 3)).toEqual([1, 2, 3])
    await skiff.ok("rm", "-f", "-v", "full")
    await skiff.ok("volume", "rm", "ckdata")
  })

  testUnless(noCriu)("that is to go with its end is exported, or refused", async () => {
    await runc("run", "-d", "--rm", "--name", "goes", "--network", "none", "busybox", "sleep", "1000")
    expect((await skiff.run(["container", "checkpoint", "goes"])).stderr).toContain("unless the checkpoint is exported")
    const file = join(skiff.home, "goes.tar.zst")
    await skiff.ok("container", "checkpoint", "-e", file, "goes")
    expect(await skiff.ok("ps", "-aq", "--filter", "name=goes")).toBe("")
    await skiff.ok("container", "restore", "-i", file)
    expect(await status("goes")).toBe("running")
    await skiff.ok("rm", "-f", "goes")
  })

  afterAll(async () => void (noCriu || (await skiff.ok("rm", "-f", "counts"))))
})

async function connected(address: string): Promise<Socket> {
  const socket = createConnection(80, address)
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject))
  return socket
}

function echoed(socket: Socket, text: string): Promise<string> {
  const answer = new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(bytes.toString())))
  socket.write(text)
  return answer
}

describe("what cannot be", () => {
  testUnless(rootlessOnly)("an ordinary user is told that root is needed", async () => {
    await skiff.ok("run", "-d", "--name", "mine", "--network", "none", "busybox", "sleep", "1000")
    const { code, stderr } = await skiff.run(["container", "checkpoint", "mine"])
    expect(code).toBe(1)
    expect(stderr).toContain("checkpointing a container requires root")
    expect(await status("mine")).toBe("running")
    await skiff.ok("rm", "-f", "mine")
  })

  testUnless(user.rootless && "asked of root only")("a container of crun is never given to its restore", async () => {
    await skiff.ok("--runtime", "crun", "run", "-d", "--name", "crun", "--network", "none", "busybox", "sleep", "1000")
    const { code, stderr } = await skiff.run(["container", "checkpoint", "crun"])
    expect(code).toBe(1)
    expect(stderr).toContain("checkpoints need the runtime runc, and this container's is crun")
    expect(await status("crun")).toBe("running")
    await skiff.ok("rm", "-f", "crun")
  })

  testUnless(user.rootless && "asked of root only")(
    "a host without CRIU, or with one that finds faults, is told so",
    async () => {
      await runc("run", "-d", "--name", "plain", "--network", "none", "busybox", "sleep", "1000")
      const bin = join(skiff.home, "bin")
      mkdirSync(bin, { recursive: true })
      const at = () => skiff.run(["container", "checkpoint", "plain"], { env: { PATH: `${bin}:${user.env.PATH}` } })
      if (noCriu === "no criu here")
        expect((await at()).stderr).toContain("checkpoints need CRIU, which is not installed")
      const say = (script: string) => {
        rmSync(join(bin, "criu"), { force: true })
        writeFileSync(join(bin, "criu"), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      }
      say('[ "$1" = --version ] && echo "Version: 3.16.1"')
      expect((await at()).stderr).toContain("CRIU 3.17 or newer is needed")
      say('[ "$1" = --version ] && echo "Version: 4.0" && exit 0; echo "Error: no vdso here" >&2; exit 1')
      expect((await at()).stderr).toContain("criu check fails on this kernel: Error: no vdso here")
      expect(await status("plain")).toBe("running")
      await skiff.ok("rm", "-f", "plain")
    },
  )

  test("containers that do not run, have no checkpoint, or are not there", async () => {
    await skiff.ok("create", "--name", "idle", "busybox", "true")
    for (const [args, words] of [
      [["container", "checkpoint", "idle"], /container "idle" is not running, cannot checkpoint/],
      [["container", "restore", "idle"], /container "idle" has no checkpoint/],
      [["container", "restore", "nosuch"], /no such container: "nosuch"/],
      [["checkpoint", "ls", "nosuch"], /no such container/],
      [["checkpoint", "rm", "idle", "none"], /has no checkpoint "none"/],
      [["start", "--checkpoint", "none", "idle"], /has no checkpoint "none"/],
      [["container", "checkpoint", "--ignore-rootfs", "idle"], /--ignore-rootfs can only be used with --export/],
      [["container", "checkpoint", "-e", "f", "--all", "idle"], /./],
    ] as const) {
      const { code, stderr } = await skiff.run(args)
      expect({ args, failed: code !== 0 }).toEqual({ args, failed: true })
      expect(stderr).toMatch(words)
    }
    await skiff.ok("rm", "idle")
  })
})
