/** Binds, named volumes, tmpfs; what they show, keep and refuse. */
import { describe, expect, test } from "bun:test"
import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const run = (script: string, ...flags: string[]) => skiff.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)

/** A directory of the user on the host, with one file. */
function hostDirectory(name: string): string {
  const path = join(skiff.directory, name)
  mkdirSync(path)
  writeFileSync(join(path, "file"), "from the host\n")
  for (const owned of [path, join(path, "file")]) chownSync(owned, user.uid, user.gid)
  return path
}

describe("binds", () => {
  test("-v shows the host's directory, and writes go there", async () => {
    const path = hostDirectory("bind")
    expect(await run("cat /b/file; echo back > /b/new", "-v", `${path}:/b`)).toBe("from the host")
    expect(readFileSync(join(path, "new"), "utf8")).toBe("back\n")
  })

  test(":ro and --mount readonly forbid writing", async () => {
    const path = hostDirectory("readonly")
    const attempt = "cat /b/file; touch /b/new 2>/dev/null && echo written || echo refused"
    expect(await run(attempt, "-v", `${path}:/b:ro`)).toBe("from the host\nrefused")
    expect(await run(attempt, "--mount", `type=bind,source=${path},target=/b,readonly`)).toBe("from the host\nrefused")
  })

  test("a single file", async () => {
    const path = hostDirectory("single")
    expect(await run("cat /one", "-v", `${path}/file:/one`)).toBe("from the host")
  })

  test("-v makes an absent source, --mount refuses it", async () => {
    await run("touch /b/x", "-v", `${skiff.directory}/home/made:/b`)
    expect(readFileSync(join(skiff.home, "made/x"), "utf8")).toBe("")
    const absent = join(skiff.directory, "absent")
    const { code, stderr } = await skiff.run([
      "run",
      "--rm",
      "--mount",
      `type=bind,src=${absent},dst=/b`,
      "busybox",
      "true",
    ])
    expect(code).toBe(125)
    expect(stderr).toContain(absent)
  })

  test("over /proc and a relative target are refused", async () => {
    const path = hostDirectory("refused")
    for (const target of ["/proc", "/proc/sys", "relative", "/"]) {
      const { code } = await skiff.run(["run", "--rm", "-v", `${path}:${target}`, "busybox", "true"])
      expect({ target, code }).toEqual({ target, code: 125 })
    }
  })
})

describe("named volumes", () => {
  test("keep their content from container to container", async () => {
    await run("echo kept > /v/file", "-v", "store:/v")
    expect(await run("cat /v/file", "--mount", "type=volume,source=store,target=/v")).toBe("kept")
    expect((await skiff.ok("volume", "ls", "-q")).split("\n")).toContain("store")
    await skiff.ok("volume", "rm", "store")
  })

  test("new ones begin with what the image has there, owners too", async () => {
    const name = (await sharedRegistry()).push("mounts/data:1", {
      ...BUSYBOX,
      layers: [
        ...BUSYBOX.layers,
        {
          entries: [
            { name: "data", type: "directory", mode: 0o750, uid: 1000, gid: 1000 },
            { name: "data/seed", content: "seed\n", uid: 1000, gid: 1000 },
          ],
        },
      ],
    })
    const show = "cat /data/seed; stat -c '%u:%g %a' /data /data/seed"
    expect(await skiff.ok("run", "--rm", "-v", "seeded:/data", name, "sh", "-c", show)).toBe(
      "seed\n1000:1000 750\n1000:1000 644",
    )
    await skiff.ok("run", "--rm", "-v", "seeded:/data", name, "sh", "-c", "echo mine > /data/seed")
    expect(await skiff.ok("run", "--rm", "-v", "seeded:/data", name, "cat", "/data/seed")).toBe("mine")
    await skiff.ok("volume", "rm", "seeded")
  })

  test("in use are not removed", async () => {
    await skiff.ok("create", "--name", "user", "-v", "held:/v", "busybox")
    const { code, stderr } = await skiff.run(["volume", "rm", "held"])
    expect(code).toBe(1)
    expect(stderr).toContain("held")
    await skiff.ok("rm", "user")
    await skiff.ok("volume", "rm", "held")
  })

  test("without a name go with --rm", async () => {
    const before = await skiff.ok("volume", "ls", "-q")
    await run("touch /v/x", "-v", "/v")
    expect(await skiff.ok("volume", "ls", "-q")).toBe(before)
  })
})

describe("--volumes-from", () => {
  test("gives the volumes and binds of another container, at the same places", async () => {
    const path = hostDirectory("lent")
    await skiff.ok(
      "create",
      "--name",
      "lender",
      "-v",
      "/anon",
      "-v",
      "lent:/named",
      "-v",
      `${path}:/bind:ro`,
      "busybox",
    )
    await run("echo anon > /anon/x; echo named > /named/x", "--volumes-from", "lender")
    expect(await run("cat /anon/x /named/x /bind/file", "--volumes-from", "lender")).toBe("anon\nnamed\nfrom the host")
    const write = "for d in /anon /named /bind; do touch $d/y 2>/dev/null && echo written || echo refused; done"
    expect(await run(write, "--volumes-from", "lender")).toBe("written\nwritten\nrefused")
    expect(await run(write, "--volumes-from", "lender:ro")).toBe("refused\nrefused\nrefused")
    // neither volume belongs to who only borrowed it
    expect(await run("cat /anon/x", "--volumes-from", "lender")).toBe("anon")
    expect(await skiff.ok("create", "--name", "borrower", "--volumes-from", "lender:ro", "busybox")).toMatch(
      /^[0-9a-f]/,
    )
    expect(await skiff.ok("inspect", "--format", "{{json .HostConfig.VolumesFrom}}", "borrower")).toBe('["lender:ro"]')
    expect((await skiff.run(["volume", "rm", "lent"])).code).toBe(1)
    await skiff.ok("rm", "-v", "borrower", "lender")
    await skiff.ok("volume", "rm", "lent")
  })

  test("a mount of the container's own goes before", async () => {
    await skiff.ok("create", "--name", "lender", "-v", "/v", "busybox")
    expect(await run("grep ' /v ' /proc/mounts | cut -d' ' -f1", "--volumes-from", "lender", "--tmpfs", "/v")).toBe(
      "tmpfs",
    )
    await skiff.ok("rm", "-v", "lender")
  })

  test("an unknown container, a wrong mode and an unknown driver are refused by name", async () => {
    for (const [flag, value, reason] of [
      ["--volumes-from", "nosuch", 'no such container: "nosuch"'],
      ["--volumes-from", "a:rx", "invalid mode: rx"],
      ["--volume-driver", "nfs", 'plugin "nfs" not found'],
    ] as const) {
      const { code, stderr } = await skiff.run(["run", "--rm", "-v", "/v", flag, value, "busybox", "true"])
      expect({ code, isNamed: stderr.includes(reason) }).toEqual({ code: 125, isNamed: true })
    }
  })
})

describe("tmpfs", () => {
  test("--tmpfs and --mount type=tmpfs, with size and mode", async () => {
    const sized = "grep ' /t ' /proc/mounts; stat -c %a /t"
    expect(await run(sized, "--tmpfs", "/t:size=1m,mode=700")).toMatch(/^tmpfs \/t tmpfs .*size=1024k.*\n700$/)
    expect(await run(sized, "--mount", "type=tmpfs,dst=/t,tmpfs-size=2m,tmpfs-mode=1770")).toMatch(
      /size=2048k.*\n1770$/,
    )
  })
})

test("what a container wrote stays its own, and lasts from start to start", async () => {
  await skiff.ok("run", "--name", "writer", "busybox", "sh", "-c", "echo line >> /root/file; cat /root/file")
  expect((await skiff.run(["start", "-a", "writer"])).stdout).toBe("line\nline\n")
  expect(await run("ls /root")).toBe("")
  await skiff.ok("rm", "writer")
})
