/** Limits and settings against the program that they hold: known holes, and whoever would have them opened. */
import { afterEach, describe, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { noLimits, openStore, testUnless } from "../support/store.ts"

const skiff = openStore()

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

const inside = async (script: string, ...flags: string[]) =>
  (await skiff.run(["run", "--rm", "--network", "none", ...flags, "busybox", "sh", "-c", script])).stdout

for (const runtime of ["crun", "runc"])
  describe(`under ${runtime}`, () => {
    test("no cgroup can be written or mounted (CVE-2022-0492, CVE-2023-25809)", async () => {
      const script = [
        "mkdir /tmp/c; mount -t cgroup -o memory none /tmp/c && echo mounted",
        "mount -t cgroup2 none /tmp/c && echo mounted",
        "unshare -UrmC true && echo unshared; unshare -Ur true && echo unshared",
        "for f in $(find /sys/fs/cgroup -name release_agent -o -name cgroup.procs -o -name notify_on_release); do",
        "  (echo 1 > $f) 2>/dev/null && echo wrote $f; done",
        "(mkdir /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/memory/x) 2>/dev/null && echo made; true",
      ].join("\n")
      expect(await inside(script, "--runtime", runtime)).toBe("")
      // with the capability to mount, it mounts no more than its own
      const mounted =
        "mkdir /tmp/c; mount -t cgroup -o memory none /tmp/c 2>/dev/null; ls /tmp/c/release_agent 2>/dev/null"
      expect(await inside(mounted, "--runtime", runtime, "--cap-add", "SYS_ADMIN")).toBe("")
    })

    testUnless(noLimits)("every process is in the container's cgroup, also an exec's (CVE-2025-47291)", async () => {
      const flags = ["-d", "--runtime", runtime, "-m", "64m", "busybox", "sh", "-c", "sleep 97 & sleep 98"]
      const id = await skiff.ok("run", ...flags)
      await skiff.ok("exec", "-d", id, "sleep", "99")
      const sleepers = readdirSync("/proc").filter((pid) => {
        try {
          const [program, time = ""] = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")
          return program === "sleep" && ["97", "98", "99"].includes(time)
        } catch {
          return false
        }
      })
      expect(sleepers.length).toBeGreaterThanOrEqual(2)
      for (const pid of sleepers) {
        const own = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n")
        expect(own.some((line) => line.includes(id))).toBe(true)
        for (const line of own.filter((one) => /memory|pids|^0::/.test(one) && one !== "0::/"))
          expect(line).toContain(id)
      }
    })
  })

describe("what is asked for", () => {
  test("in a list of processors is never spelled out (CVE-2018-20699)", async () => {
    for (const flag of ["--cpuset-cpus", "--cpuset-mems"])
      for (const list of ["0-2147483647", "0-4294967295", "0-99999999999", Array(10_000).fill("0-9999999").join()]) {
        const { code, stderr } = await skiff.run(["run", "--rm", flag, list, "busybox", "true"], { timeoutMs: 10_000 })
        expect({ flag, code, ours: stderr.startsWith("skiff: ") }).toEqual({ flag, code: 125, ours: true })
      }
  })

  test("in one word never becomes two settings (CVE-2022-0811, CVE-2024-3154)", async () => {
    for (const flags of [
      ["--sysctl", "kernel.shm_rmid_forced=1+kernel.core_pattern=|/x"],
      ["--sysctl", "kernel.shm_rmid_forced=1\nkernel.core_pattern=|/x"],
      ["--annotation", "a=b\nrun.oci.x=y"],
      ["--cgroup-parent", "/a\n/b"],
      ["--cgroup-parent", "a/../../b"],
      ["--cgroup-conf", "memory.high/../../cgroup.procs=1"],
      ["--device-cgroup-rule", "c 10:200 r\na *:* rwm"],
      ["--security-opt", "mask=/a/../etc"],
      ["--security-opt", "proc-opts=hidepid=2 exec"],
      ["--rdt-class", "../../schemata"],
      ["--device", "/dev/../etc/passwd"],
    ]) {
      const { code } = await skiff.run(["run", "--rm", "--network", "none", ...flags, "busybox", "true"])
      expect({ flags, refused: code !== 0 }).toEqual({ flags, refused: true })
    }
  })

  test("a label of the image's opens nothing", async () => {
    const labels = [
      "run.oci.keep_original_groups=1",
      'io.containers.seccomp.profile={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[]}',
    ]
    const flags = labels.flatMap((label) => ["--label", label])
    expect(await skiff.ok("run", "--rm", ...flags, "busybox", "grep", "^Seccomp:", "/proc/self/status")).toEndWith("2")
  })
})
