/** `skiff volume` and its like: what they print, refuse and leave, also when they are killed. */
import { describe, expect, test } from "bun:test"
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore, rootlessOnly, testUnless } from "../support/store.ts"
import { tar } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const as = (tool: string, ...words: string[]) => skiff.run(words, { env: { SKIFF_COMPAT: tool } })
const document = async (tool: string, ...words: string[]) =>
  (JSON.parse((await as(tool, "volume", "inspect", ...words)).stdout) as Record<string, unknown>[])[0] ?? {}
const names = async (...filter: string[]) =>
  (await skiff.ok("volume", "ls", "-q", ...filter.flatMap((one) => ["--filter", one]))).split("\n").filter(Boolean)

describe("inspect", () => {
  test("has docker's keys, podman's keys, and with -s what it takes", async () => {
    await skiff.ok("volume", "create", "--label", "a=b", "-o", "o=uid=12,gid=34", "data")
    expect(await document("docker", "data")).toEqual({
      CreatedAt: expect.stringMatching(/^20/),
      Driver: "local",
      Labels: { a: "b" },
      Mountpoint: expect.stringMatching(/\/volumes\/data\/data$/),
      Name: "data",
      Options: { o: "uid=12,gid=34" },
      Scope: "local",
    })
    expect(await document("podman", "data")).toMatchObject({
      UID: 12,
      GID: 34,
      MountCount: 0,
      NeedsCopyUp: true,
      LockNumber: 0,
      Options: { o: "uid=12,gid=34" },
    })
    await skiff.ok("create", "--name", "user", "-v", "data:/etc", "busybox")
    await skiff.ok("start", "-a", "user")
    expect(await document("podman", "data")).not.toHaveProperty("NeedsCopyUp")
    const { UsageData } = (await document("docker", "-s", "data")) as { UsageData: { RefCount: number; Size: number } }
    expect(UsageData.RefCount).toBe(1)
    expect(UsageData.Size).toBeGreaterThan(0)
    expect(await skiff.ok("system", "df", "-v", "--format", "{{range .Volumes}}{{.Name}} {{.Links}}{{end}}")).toBe(
      "data 1",
    )
    await skiff.ok("rm", "user")
    await skiff.ok("volume", "rm", "data")
  })

  test("counts who has a mounted one, and mount and unmount are of people", async () => {
    await skiff.ok("volume", "create", "-o", "type=tmpfs", "memory")
    const count = async () => Number(await skiff.ok("volume", "inspect", "-f", "{{.MountCount}}", "memory"))
    await skiff.ok("run", "-d", "--name", "one", "-v", "memory:/m", "busybox", "sleep", "1000")
    expect(await count()).toBe(1)
    const words = skiff.command([])
    const shell = words[words.length - 1] ?? ""
    const script = `d=$('${shell}' volume mount memory); '${shell}' volume mount memory >/dev/null; echo x > $d/x; cat $d/x`
    expect(await skiff.ok("unshare", "sh", "-c", script)).toBe("x")
    expect(await count()).toBe(3)
    expect(await skiff.ok("exec", "one", "cat", "/m/x")).toBe("x")
    await skiff.ok("rm", "-f", "one")
    expect(await count()).toBe(2)
    expect(await skiff.ok("volume", "unmount", "memory")).toBe("memory")
    expect(await count()).toBe(1)
    await skiff.ok("volume", "unmount", "memory")
    await skiff.ok("volume", "unmount", "memory") // safe to repeat
    expect(await count()).toBe(0)
    await skiff.ok("volume", "rm", "memory")
  })

  testUnless(rootlessOnly)("an ordinary user mounts within skiff unshare", async () => {
    await skiff.ok("volume", "create", "-o", "type=tmpfs", "memory")
    const { code, stderr } = await skiff.run(["volume", "mount", "memory"])
    expect({ code, told: stderr.includes("must execute `skiff unshare` first") }).toEqual({ code: 1, told: true })
    await skiff.ok("volume", "rm", "memory")
  })
})

describe("ls and prune", () => {
  test("choose by every filter", async () => {
    await skiff.ok("volume", "create", "--label", "team=web", "alpha")
    await skiff.ok("volume", "create", "-o", "type=tmpfs", "beta")
    await skiff.ok("create", "--name", "user", "-v", "alpha:/a", "-v", "/anonymous", "busybox")
    expect(await names("name=alp")).toEqual(["alpha"])
    expect(await names("name=^be.a$")).toEqual(["beta"])
    expect(await names("dangling=true")).toEqual(["beta"])
    expect(await names("label=team=web")).toEqual(["alpha"])
    expect(await names("label!=team", "anonymous=false")).toEqual(["beta"])
    expect(await names("opt=type=tmpfs")).toEqual(["beta"])
    expect(await names("driver=image")).toEqual([])
    expect(await names("scope=global")).toEqual([])
    expect(await names("anonymous=true")).toHaveLength(1)
    expect(await names("since=alpha", "anonymous=false")).toEqual(["beta"])
    expect(await names("until=1h")).toEqual([])
    const { code, stderr } = await skiff.run(["volume", "ls", "--filter", "name=("])
    expect({ code, told: stderr.includes("it is no pattern") }).toEqual({ code: 1, told: true })
    await skiff.ok("rm", "-v", "user")
    await skiff.ok("volume", "rm", "alpha", "beta")
  })

  test("prune takes anonymous ones, as podman all; --dry-run takes nothing", async () => {
    await skiff.ok("volume", "create", "named")
    const anonymous = await skiff.ok("volume", "create")
    expect(await skiff.ok("volume", "prune", "--dry-run")).toContain(`Would delete Volumes:\n${anonymous}`)
    expect(await skiff.ok("volume", "prune", "--all", "--dry-run")).toContain("named")
    expect(await names()).toHaveLength(2)
    expect(await skiff.ok("volume", "prune", "-f")).toContain(`Deleted Volumes:\n${anonymous}`)
    expect(await names()).toEqual(["named"])
    expect((await as("podman", "volume", "prune", "-f")).stdout).toBe("named\n")
    expect(await names()).toEqual([])
  })

  test("--dry-run is a flag of every prune, changes nothing and asks nothing", async () => {
    await skiff.ok("create", "--name", "stopped", "-v", "/v", "busybox")
    const before = await Promise.all([skiff.ok("ps", "-aq"), skiff.ok("volume", "ls", "-q"), skiff.ok("images", "-q")])
    for (const group of ["container", "image", "volume", "network", "pod", "builder", "system"])
      expect(await skiff.run([group, "prune", "--dry-run"])).toMatchObject({ code: 0, stderr: "" })
    expect(await skiff.ok("container", "prune", "--dry-run")).toContain("Would delete Containers:")
    expect(await skiff.ok("image", "prune", "--all", "--dry-run")).toContain("Total reclaimable space")
    const after = await Promise.all([skiff.ok("ps", "-aq"), skiff.ok("volume", "ls", "-q"), skiff.ok("images", "-q")])
    expect(after).toEqual(before)
    await skiff.ok("rm", "-v", "stopped")
  })
})

describe("rm and rename", () => {
  test("name all containers that use it, each tool in its words, and --force as the tool has it", async () => {
    await skiff.ok("volume", "create", "shared")
    const ids = await Promise.all(
      ["one", "two"].map((name) => skiff.ok("create", "--name", name, "-v", "shared:/s", "busybox")),
    )
    const { stderr } = await skiff.run(["volume", "rm", "shared"])
    for (const name of ["one", "two"]) expect(stderr).toContain(`"${name}"`)
    const docker = await as("docker", "volume", "rm", "shared")
    expect(docker.code).toBe(1)
    expect(docker.stderr).toContain("remove shared: volume is in use - [")
    const podman = await as("podman", "volume", "rm", "shared")
    expect(podman.code).toBe(2)
    for (const id of ids) expect(podman.stderr).toContain(id)
    expect((await skiff.run(["volume", "rename", "shared", "other"])).stderr).toContain("is in use")
    expect((await as("docker", "volume", "rm", "-f", "shared")).code).toBe(1)
    expect((await as("podman", "volume", "rm", "-f", "shared")).code).toBe(0)
    expect(await skiff.ok("ps", "-aq")).toBe("")
    expect((await as("podman", "volume", "rm", "shared")).code).toBe(1)
    expect((await skiff.run(["volume", "exists", "shared"])).code).toBe(1)
  })

  test("rename keeps files and options; names that are taken or none are refused", async () => {
    await skiff.ok("volume", "create", "--label", "a=b", "before")
    await skiff.ok("volume", "create", "taken")
    await skiff.ok("run", "--rm", "-v", "before:/v", "busybox", "sh", "-c", "echo kept > /v/x")
    for (const [to, reason] of [
      ["taken", "already exists"],
      ["../x", "invalid volume name"],
    ] as const)
      expect((await skiff.run(["volume", "rename", "before", to])).stderr).toContain(reason)
    expect((await skiff.run(["volume", "rename", "nosuch", "x"])).code).toBe(1)
    await skiff.ok("volume", "rename", "before", "after")
    expect(await skiff.ok("run", "--rm", "-v", "after:/v", "busybox", "cat", "/v/x")).toBe("kept")
    expect(await skiff.ok("volume", "inspect", "-f", "{{.Labels.a}} {{.Mountpoint}}", "after")).toMatch(
      /^b .*\/after\/data$/,
    )
    expect(await names()).toEqual(["after", "taken"])
    await skiff.ok("volume", "rm", "after", "taken")
  })
})

const crash = (point: string, words: readonly string[], stdin = "") =>
  skiff.run(words, { env: { SKIFF_CRASH_AT: point }, stdin })
/** What the store and the kernel have of volumes. */
const leftovers = async () => ({
  names: await names(),
  directories: existsSync(join(skiff.root, "volumes"))
    ? readdirSync(join(skiff.root, "volumes")).filter((name) => !name.startsWith(".removed-"))
    : [],
  mounts: await skiff.ok("unshare", "sh", "-c", `grep -c '${skiff.root}/volumes' /proc/self/mounts || true`),
})
const NOTHING = { names: [], directories: [], mounts: "0" }

describe("killed at any step, the next command goes through, and nothing is left", () => {
  test.each(["volume:recorded", "volume:made"])("create at %s", async (point) => {
    for (const words of [["torn"], ["-d", "image", "-o", "image=busybox", "torn"]]) {
      await crash(point, ["volume", "create", ...words])
      await skiff.ok("volume", "create", ...words)
      await skiff.ok("run", "--rm", "-v", "torn:/v", "busybox", "touch", "/v/x")
      await skiff.ok("volume", "rm", "torn")
    }
    await crash(point, ["volume", "create", "torn"])
    await skiff.ok("volume", "rm", "torn")
    expect(await leftovers()).toEqual(NOTHING)
  })

  test.each(["volume:taken-down", "volume:forgotten"])("rm at %s", async (point) => {
    for (const words of [["torn"], ["-d", "image", "-o", "image=busybox", "torn"], ["-o", "type=tmpfs", "torn"]]) {
      await skiff.ok("volume", "create", ...words)
      await skiff.ok("run", "--rm", "-v", "torn:/v", "busybox", "touch", "/v/old")
      await crash(point, ["volume", "rm", "torn"])
      if (point === "volume:taken-down") await skiff.ok("volume", "rm", "torn")
      // no files of the former one
      await skiff.ok("volume", "create", "torn")
      expect(await skiff.ok("run", "--rm", "-v", "torn:/v", "busybox", "ls", "/v")).toBe("")
      await skiff.ok("volume", "rm", "torn")
    }
    expect(await leftovers()).toEqual(NOTHING)
  })

  test("what is mounted at the place of a volume that was forgotten is not removed with it", async () => {
    const kept = join(skiff.home, "kept")
    mkdirSync(kept)
    writeFileSync(join(kept, "file"), "")
    for (const path of [kept, join(kept, "file")]) chownSync(path, user.uid, user.gid)
    await skiff.ok("volume", "create", "-o", "type=none", "-o", "o=bind,noexec", "-o", `device=${kept}`, "torn")
    const shell = skiff.command([]).at(-1) ?? ""
    await skiff.ok("unshare", "sh", "-c", `'${shell}' volume mount torn`)
    await crash("volume:forgotten", ["volume", "rm", "torn"])
    await skiff.ok("volume", "create", "other")
    await skiff.ok("volume", "rm", "other")
    expect(await leftovers()).toEqual(NOTHING)
    expect(readdirSync(kept)).toEqual(["file"])
  })

  test.each(["volume:renamed", "volume:moved"])("rename at %s", async (point) => {
    await skiff.ok("volume", "create", "old")
    await skiff.ok("run", "--rm", "-v", "old:/v", "busybox", "sh", "-c", "echo kept > /v/x")
    await crash(point, ["volume", "rename", "old", "new"])
    expect(await names()).toEqual(["new"])
    // the former name is free at once
    await skiff.ok("volume", "create", "old")
    expect(
      await skiff.ok("run", "--rm", "-v", "new:/v", "-v", "old:/o", "busybox", "sh", "-c", "cat /v/x; ls /o"),
    ).toBe("kept")
    await skiff.ok("volume", "rm", "new", "old")
    expect(await leftovers()).toEqual(NOTHING)
  })

  test("import in the middle: what was extracted is there, and the next one goes through", async () => {
    await skiff.ok("volume", "create", "-o", "type=tmpfs", "memory")
    await skiff.ok("volume", "create", "disk")
    const archive = join(skiff.home, "archive.tar")
    writeFileSync(
      archive,
      tar([
        { name: "a", content: "a\n" },
        { name: "b", content: "b\n" },
      ]),
    )
    for (const name of ["memory", "disk"]) {
      await crash("volume:importing", ["volume", "import", name, archive])
      expect(await skiff.ok("volume", "inspect", "-f", "{{.MountCount}}", name)).toBe("0")
      await skiff.ok("volume", "import", name, archive)
    }
    expect(readFileSync(join(await skiff.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "disk"), "b"), "utf8")).toBe(
      "b\n",
    )
    await skiff.ok("volume", "rm", "memory", "disk")
    expect(await leftovers()).toEqual(NOTHING)
  })

  test.each(["volume:held", "volume:mounted", "volume:released", "mount:staged"])("run at %s", async (point) => {
    await skiff.ok("volume", "create", "-o", "type=tmpfs", "memory")
    const words = [
      "run",
      "--rm",
      "-v",
      "memory:/m",
      "--mount",
      "type=image,src=busybox,dst=/i,rw=true",
      "-v",
      `${skiff.home}:/h:O`,
    ]
    await crash(point, [...words, "busybox", "true"])
    await skiff.ok(...words, "busybox", "touch", "/m/x", "/h/x", "/i/x")
    expect(await skiff.ok("ps", "-aq")).toBe("")
    expect(await skiff.ok("volume", "inspect", "-f", "{{.MountCount}}", "memory")).toBe("0")
    await skiff.ok("volume", "rm", "memory")
    expect(await leftovers()).toEqual(NOTHING)
    expect(existsSync(join(skiff.home, "x"))).toBe(false)
  })
})
