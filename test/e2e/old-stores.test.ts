/**
 * Stores that earlier versions wrote. Each lies in testdata/stores: the records as SQL (`@ROOT@` and `@BRIDGE@` in the place of
 * what the test decides), the files as an archive without the one big file, busybox. In each: an image that was imported and
 * one that was built, volumes, and containers that were created, exited, running, paused and `--rm` as the machine went down.
 */
import { spawnSync } from "node:child_process"
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { kernelNames } from "../../src/network/names.ts"
import { Skiff } from "../support/skiff.ts"
import { user } from "../support/user.ts"

const stores = join(import.meta.dir, "../testdata/stores")

describe.each(readdirSync(stores).toSorted())("a store of version %s", (version) => {
  let skiff: Skiff
  const names = async (...args: string[]) => (await skiff.ok(...args)).split("\n").filter(Boolean).toSorted()

  beforeAll(() => {
    skiff = new Skiff()
    mkdirSync(skiff.root, { mode: 0o700 })
    spawnSync("tar", ["-xzf", join(stores, version, "files.tar.gz"), "-C", skiff.root])
    const busybox = join(skiff.root, "layers/1/diff/bin/busybox")
    copyFileSync("/bin/busybox", busybox)
    chmodSync(busybox, 0o755)
    const db = new DatabaseSync(join(skiff.root, "skiff.db"))
    const sql = readFileSync(join(stores, version, "skiff.sql"), "utf8")
    db.exec(
      sql.replaceAll("@ROOT@", skiff.root).replaceAll("@BRIDGE@", kernelNames(skiff.runRoot, user.rootless).bridge),
    )
    // written as root; an ordinary user's overlay has the same layers, as long as nothing was deleted in them
    if (user.rootless) db.exec("DELETE FROM snapshot_driver")
    db.close()
    if (user.prefix.length > 0) spawnSync("chown", ["-R", `${user.uid}:${user.gid}`, skiff.root])
    else chownSync(skiff.root, user.uid, user.gid)
  })
  afterAll(() => skiff.close(), 60_000)

  test("its containers, images and volumes are listed; what ran has ended with the machine", async () => {
    // the first command to see it removes what was to go with its end
    expect(await names("ps", "-a", "--format", "{{.Names}}")).toContain("autoremoved")
    expect(await names("ps", "-a", "--format", "{{.Names}} {{.State}}")).toEqual([
      "created created",
      "exited exited",
      "paused exited",
      "running exited",
    ])
    expect(await names("images", "--format", "{{.Repository}}")).toEqual(["base", "made"])
    expect(await names("volume", "ls", "-q")).toEqual(expect.arrayContaining(["named", "vol2"]))
    expect(await names("builder", "containers", "--format", "{{.ContainerName}}")).toEqual(["work"])
    expect(await names("network", "ls", "--format", "{{.Name}}")).toContain("bridge")
  })

  test("inspect shows what was asked for when they were made", async () => {
    const created = await skiff.inspect("created")
    expect(created.Config.Env).toContain("X=1")
    expect(created.Config.Labels).toEqual({ a: "b" })
    expect(Object.keys(created.NetworkSettings.Networks)).toEqual(["bridge"])
    const exited = await skiff.inspect("exited")
    expect(exited.State).toMatchObject({ Status: "exited", ExitCode: 7 })
    expect(exited.Mounts.map(({ Destination }) => Destination).toSorted()).toEqual(["/data", "/vol"])
    expect((await skiff.inspect("running")).HostConfig.RestartPolicy).toEqual({
      Name: "on-failure",
      MaximumRetryCount: 3,
    })
    const [image] = JSON.parse(await skiff.ok("inspect", "made")) as [{ Config: { Cmd: string[] } }]
    expect(image.Config.Cmd).toEqual(["cat", "/built"])
  })

  test("they start again, with their logs, volumes and networks", async () => {
    const { stdout } = await skiff.run(["logs", "exited"])
    expect(stdout).toContain("out\nhello\n")
    const again = await skiff.run(["start", "-a", "exited"])
    expect([again.code, again.stdout]).toEqual([7, "out\nhello\n"])
    expect((await skiff.run(["start", "-a", "created"])).stdout).toBe("created\n")
    await skiff.ok("start", "running")
    expect((await skiff.inspect("running")).NetworkSettings.IPAddress).not.toBe("")
    // the network had none when it was made
    const six = await skiff.ok("inspect", "-f", "{{.NetworkSettings.GlobalIPv6Address}}", "running")
    if (existsSync("/proc/net/if_inet6")) expect(six).toMatch(/^fd/)
    expect(await skiff.ok("exec", "running", "cat", "/built")).toBe("built")
    await skiff.ok("stop", "-t", "0", "running")
    expect(await skiff.ok("run", "--rm", "made")).toBe("built")
  })

  test("all of it can be removed", async () => {
    await skiff.ok("rm", "-v", "created", "exited", "paused", "running")
    await skiff.ok("builder", "rm", "work")
    await skiff.ok("rmi", "made", "base")
    await skiff.ok("volume", "rm", "named", "vol2")
    expect(await names("ps", "-aq")).toEqual([])
    expect(await names("images", "-q")).toEqual([])
  })
})
