/** What `--security-opt`, devices and hooks give and take, as the kernel and the program see it. */
import { afterAll, describe, expect, test } from "bun:test"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const file = (name: string) => join(skiff.directory, name)
const write = (name: string, content: unknown): string => {
  writeFileSync(file(name), typeof content === "string" ? content : JSON.stringify(content), { mode: 0o644 })
  return file(name)
}

/** One that the user may open; runc of 2023 allows root's containers /dev/net/tun in any case. */
const device = user.rootless ? "/dev/net/tun" : "/dev/fuse"

for (const runtime of ["crun", "runc"]) {
  const run = (flags: readonly string[], script: string) =>
    skiff.run(["run", "--rm", "--network", "none", "--runtime", runtime, ...flags, "busybox", "sh", "-c", script])
  const output = async (flags: readonly string[], script: string) => (await run(flags, script)).stdout.trim()

  describe(`--security-opt (${runtime})`, () => {
    test("mask hides, unmask shows, of files and of directories", async () => {
      expect(await output(["--security-opt", "mask=/etc:/proc/cpuinfo"], "ls /etc; wc -c < /proc/cpuinfo")).toBe("0")
      const guards = "grep -cE ' (/proc/(acpi|kcore|sys|bus)|/sys/firmware) ' /proc/mounts; true"
      expect(Number(await output([], guards))).toBeGreaterThan(2)
      expect(await output(["--security-opt", "systempaths=unconfined"], guards)).toBe("0")
      expect(await output(["--security-opt", "unmask=ALL"], guards)).toBe("0")
      expect(await output(["--security-opt", "unmask=/proc/*:/sys/firmware"], guards)).toBe("0")
    })

    test("proc-opts are those of /proc", async () => {
      const mounted = "grep '^proc /proc ' /proc/mounts"
      expect(await output(["--security-opt", "proc-opts=hidepid=2"], mounted)).toMatch(/hidepid=(2|invisible)/)
    })

    test("no-new-privileges is what it is given", async () => {
      const read = "grep NoNewPrivs /proc/self/status"
      expect(await output([], read)).toEndWith("0")
      for (const option of ["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"])
        expect(await output(["--security-opt", option], read)).toEndWith("1")
      expect(await output(["--security-opt", "no-new-privileges:false"], read)).toEndWith("0")
    })

    test("seccomp is the default, the builtin one, none, or a file's, named as the caller sees it", async () => {
      const read = "grep ^Seccomp: /proc/self/status"
      for (const flags of [[], ["--security-opt", "seccomp=builtin"], ["--security-opt", "seccomp=default"]])
        expect(await output(flags, read)).toEndWith("2")
      const none = await output(["--security-opt", "seccomp=unconfined"], read)
      expect(none.endsWith("0") || readFileSync("/proc/self/status", "utf8").includes("Seccomp:\t2")).toBe(true)
      write("profile.json", {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 1 }],
      })
      const given = await run(["--security-opt", "seccomp=profile.json"], "mkdir /x")
      expect([given.code, given.stderr]).toEqual([1, expect.stringContaining("not permitted")])
      expect((await run(["--privileged", "--security-opt", "seccomp=profile.json"], "mkdir /x")).code).toBe(1)
    })

    test("the filter of a later container is that of the first, and one of other capabilities has its own", async () => {
      const tryIt = "grep ^Seccomp_filters: /proc/self/status; unshare -U true 2>&1; unshare -m true 2>&1"
      const first = await output([], tryIt)
      expect(first).toContain("not permitted")
      expect(await output([], tryIt)).toBe(first)
      // what the first one's filter refuses, this one's does not
      const admin = await run(["--cap-add", "SYS_ADMIN"], "unshare -m true")
      expect([admin.code, admin.stderr]).toEqual([0, ""])
      expect(await output([], tryIt)).toBe(first)
      const kept = user.rootless ? [] : readdirSync(join(skiff.runRoot, "runtime/seccomp"))
      expect(kept.filter((name) => name.includes(".tmp-"))).toEqual([])
      if (runtime === "crun" && !user.rootless) expect(kept.length).toBeGreaterThan(1)
    })

    test("labels of SELinux are accepted where the kernel has none, and disable everywhere", async () => {
      for (const option of ["label=disable", "label=type:container_t", "label:level:s0:c1,c2"])
        expect(await output(["--security-opt", option], "echo ran")).toBe("ran")
    })

    testUnless(asRootOnly)("writable-cgroups lets it write in its cgroup, and nothing else does", async () => {
      const tryIt = "mkdir /sys/fs/cgroup/memory/own 2>/dev/null || mkdir /sys/fs/cgroup/own 2>/dev/null; echo $?"
      expect(await output([], tryIt)).not.toBe("0")
      expect(await output(["--security-opt", "writable-cgroups=true"], tryIt)).toBe("0")
    })
  })

  describe(`devices (${runtime})`, () => {
    test("are there by the name and with the rights that were given", async () => {
      const script = `ls -l /dev/own | cut -c1; (exec 3<>/dev/own) 2>/dev/null; echo $?; ls ${device} 2>&1`
      const text = await output(["--device", `${device}:/dev/own`], script)
      expect(text.split("\n").slice(0, 2)).toEqual(["c", "0"])
      expect(text).toContain("No such file")
      expect(await output(["--device", "/dev/zero:/dev/only:r"], "head -c 4 /dev/only | wc -c")).toBe("4")
      const denied = await run(["--device", `${device}:/dev/own:r`], "(exec 3<>/dev/own) 2>/dev/null")
      expect(denied.code === 0).toBe(user.rootless) // an ordinary user's are bound, with his own rights to them
    })

    test("of a directory are all devices below it", async () => {
      expect(await output(["--device", "/dev/net:/dev/nets"], "ls /dev/nets")).toBe("tun")
    })

    test("that are not there, or none, are refused", async () => {
      for (const [given, words] of [
        ["/dev/no-such-device", "no such device"],
        ["/etc/passwd", "is not a device"],
        ["/dev/fuse:/dev/x:rx", "invalid mode"],
        ["acme.example/tape=one", "unresolvable CDI devices acme.example/tape=one"],
      ] as const) {
        const { code, stderr } = await run(["--device", given], "true")
        expect([given, code, stderr]).toEqual([given, 125, expect.stringContaining(words)])
      }
      const gpus = await run(["--gpus", "all"], "true")
      expect([gpus.code, gpus.stderr]).toEqual([125, expect.stringContaining("nvidia")])
    })
  })

  describe(`hooks (${runtime})`, () => {
    test("run at their stages for containers that fit, and for no other", async () => {
      const directory = file(`hooks-${runtime}`)
      const log = file(`hooks-${runtime}.log`)
      mkdirSync(directory, { recursive: true })
      write(`hooks-${runtime}.log`, "")
      if (user.rootless) Bun.spawnSync(["chmod", "a+rwx", log, directory])
      const hook = (name: string, when: object, stages: string[]) =>
        write(`hooks-${runtime}/${name}.json`, {
          version: "1.0.0",
          hook: { path: "/bin/sh", args: ["sh", "-c", `cat > /dev/null; echo ${name} >> ${log}`] },
          when,
          stages,
        })
      hook("always", { always: true }, ["poststart"])
      hook("ended", { always: true }, ["poststop"])
      hook("sleepers", { commands: ["^sleep$"] }, ["createRuntime"])
      hook("marked", { annotations: { "^org\\.example\\.mark$": "^yes$" } }, ["createRuntime"])
      const flags = ["--hooks-dir", directory, "run", "--rm", "--network", "none", "--runtime", runtime]
      await skiff.ok(...flags, "busybox", "sleep", "0.1")
      expect(readFileSync(log, "utf8").trim().split("\n")).toEqual(["sleepers", "always", "ended"])
      await skiff.ok(...flags, "--annotation", "org.example.mark=yes", "busybox", "true")
      expect(readFileSync(log, "utf8").trim().split("\n").slice(3)).toEqual(["marked", "always", "ended"])
      // in the background, where the monitor's command cleans up
      await skiff.ok(...flags.filter((flag) => flag !== "--rm"), "-d", "--name", `h-${runtime}`, "busybox", "true")
      await eventually(() => readFileSync(log, "utf8").trim().split("\n").slice(6).join() === "always,ended")
      await skiff.ok("rm", "-f", `h-${runtime}`)
    })
  })
}

const noCdi = process.getuid?.() !== 0 && "only root describes devices to others"

testUnless(noCdi)("a device that its driver describes comes with all that it needs", async () => {
  const kind = `skiff-test-${process.pid}.example/tape`
  const described = `/var/run/cdi/skiff-test-${process.pid}.json`
  mkdirSync("/var/run/cdi", { recursive: true })
  const library = write("library", "of the driver")
  const edits = {
    env: ["TAPE=one"],
    deviceNodes: [{ path: "/dev/tape", hostPath: "/dev/zero", permissions: "rw" }],
    mounts: [{ hostPath: library, containerPath: "/lib/tape", options: ["ro"] }],
  }
  const spec = { cdiVersion: "0.6.0", kind, devices: [{ name: "one", containerEdits: edits }] }
  writeFileSync(described, JSON.stringify(spec), { mode: 0o644 })
  try {
    const script = "echo $TAPE; head -c 3 /dev/tape | wc -c; cat /lib/tape; echo x > /lib/tape"
    const args = ["run", "--rm", "--network", "none", "--device", `${kind}=one`, "busybox", "sh", "-c", script]
    const { stdout, stderr } = await skiff.run(args)
    expect(stdout).toBe("one\n3\nof the driver")
    expect(stderr).toContain("Read-only")
    const other = await skiff.run(["run", "--rm", "--device", `${kind}=two`, "busybox", "true"])
    expect([other.code, other.stderr]).toEqual([125, expect.stringContaining(`valid: ${kind}=one`)])
  } finally {
    rmSync(described)
  }
})

describe("a profile that an image brings", () => {
  const profile = JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 1 }],
  })
  const make = ["run", "--rm", "--network", "none", "--label", `io.containers.seccomp.profile=${profile}`]

  const by = (policy: string[]) => skiff.run([...make, ...policy, "busybox", "mkdir", "/x"])

  test("counts where its user said so, and nowhere else", async () => {
    expect((await by(["--seccomp-policy", "image"])).code).toBe(1)
    expect((await by(["--seccomp-policy", "default"])).code).toBe(0)
    expect((await by([])).code).toBe(0)
  })
})

test("nonsense is refused, at create too, and inspect shows the rest", async () => {
  for (const flags of [
    ["--security-opt", "frobnicate"],
    ["--security-opt", "seccomp=/no/such/file"],
    ["--security-opt", "mask=relative"],
    ["--security-opt", "apparmor="],
    ["--annotation", "a=b\nc=d"],
    ["--annotation", "alone"],
    ["--gpus", "many"],
    ["--device", "relative"],
  ]) {
    const { code, stderr } = await skiff.run(["create", ...flags, "busybox", "true"])
    expect({ flags, refused: code !== 0, ours: stderr.startsWith("skiff: ") }).toEqual({
      flags,
      refused: true,
      ours: true,
    })
  }
  await skiff.ok("create", "--name", "shown", "--annotation", "a.b/c=d", "--device", "x.com/y=z", "busybox", "true")
  expect((await skiff.inspect("shown")).HostConfig).toMatchObject({
    Annotations: { "a.b/c": "d" },
    DeviceRequests: [{ Driver: "cdi", DeviceIDs: ["x.com/y=z"] }],
  })
  await skiff.ok("rm", "shown")
})

test("a named AppArmor profile is refused where the kernel has none", async () => {
  const { code, stderr } = await skiff.run(["run", "--rm", "--security-opt", "apparmor=mine", "busybox", "true"])
  expect([code, /AppArmor|apparmor/.test(stderr)]).toEqual([125, true])
  expect(await skiff.ok("run", "--rm", "--security-opt", "apparmor=unconfined", "busybox", "echo", "ran")).toBe("ran")
})

afterAll(() => {
  for (const runtime of ["crun", "runc"]) rmSync(file(`hooks-${runtime}`), { recursive: true, force: true })
})
