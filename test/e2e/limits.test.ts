/** Limits hold, or are refused with the reason: never dropped in silence. */
import { expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { noLimits, openStore, rootlessOnly, testUnless } from "../support/store.ts"

const skiff = openStore()
const noV2 = noLimits || (existsSync("/sys/fs/cgroup/memory") && "this host's controllers are on cgroup v1")
const runtimes = ["crun", "runc"]
/** A whole disk, as the kernel bounds no part of one. */
const disk = ["/dev/vda", "/dev/sda", "/dev/nvme0n1"].find((path) => existsSync(path))
const noDisk = disk === undefined && "this host has no disk that can be bounded"
const EAT = "x=$(yes 0123456789012345678901234567890123456789 | head -c 600000000); echo survived"

testUnless(noLimits)("-m ends an over-eater, and inspect says so", async () => {
  const { code } = await skiff.run([
    "run",
    "--name",
    "eater",
    "-m",
    "64m",
    "--memory-swap",
    "64m",
    "busybox",
    "sh",
    "-c",
    EAT,
  ])
  expect(code).toBe(137)
  expect((await skiff.inspect("eater")).State).toMatchObject({ OOMKilled: true, ExitCode: 137, Status: "exited" })
  await skiff.ok("rm", "eater")
})

testUnless(noLimits)("-m leaves alone what stays below", async () => {
  const eat = EAT.replace("600000000", "20000000")
  expect(await skiff.ok("run", "--name", "modest", "-m", "512m", "busybox", "sh", "-c", eat)).toBe("survived")
  const document = await skiff.inspect("modest")
  expect(document.State.OOMKilled).toBe(false)
  expect(document.HostConfig.Memory).toBe(512 * 1024 * 1024)
  await skiff.ok("rm", "modest")
})

testUnless(noLimits)("--cpus 0.5 gives a busy loop half a processor", async () => {
  await skiff.ok("run", "-d", "--name", "busy", "--cpus", "0.5", "busybox", "sh", "-c", "while :; do :; done")
  try {
    const ticks = async () => {
      const text = await skiff.ok("exec", "busy", "cat", "/proc/1/stat")
      return text
        .slice(text.lastIndexOf(")"))
        .split(" ")
        .slice(12, 14)
        .map(Number)
        .reduce((sum, value) => sum + value)
    }
    const [firstTicks, first] = [await ticks(), performance.now()]
    await sleep(2_500)
    const share = ((await ticks()) - firstTicks) / 100 / ((performance.now() - first) / 1_000)
    expect(share).toBeGreaterThan(0.05) // other work on the machine may take from it
    expect(share).toBeLessThan(0.58)
  } finally {
    await skiff.ok("rm", "-f", "busy")
  }
})

testUnless(noLimits)("--pids-limit stops a fork bomb", async () => {
  const script = "i=0; while [ $i -lt 50 ]; do sleep 5 & i=$((i+1)); done 2>&1 | head -n 1; true"
  const { stdout, stderr } = await skiff.run(["run", "--rm", "--pids-limit", "10", "busybox", "sh", "-c", script])
  expect(`${stdout}${stderr}`).toMatch(/fork/)
})

testUnless(noLimits)("4,096 processes are the most unless said otherwise, and -1 lifts it", async () => {
  const read = "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; true"
  expect(await skiff.ok("run", "--rm", "busybox", "sh", "-c", read)).toBe("4096")
  expect(await skiff.ok("run", "--rm", "--pids-limit", "-1", "busybox", "sh", "-c", read)).toBe("max")
  expect(await skiff.ok("info", "--format", "{{.Defaults.pidsLimit}}")).toBe("4096")
})

testUnless(!noLimits && "limits hold here")(
  "a default that cannot be enforced is no error, and info says so",
  async () => {
    expect(await skiff.ok("run", "--rm", "busybox", "echo", "ran")).toBe("ran")
    expect(await skiff.ok("info")).toContain("Default Pids Limit: none")
  },
)

testUnless(noLimits)("--cpuset-cpus binds to the processors named", async () => {
  const args = ["run", "--rm", "--cpuset-cpus", "0", "busybox", "grep", "Cpus_allowed_list", "/proc/self/status"]
  const { code, stdout, stderr } = await skiff.run(args)
  // a user session delegates cpu, memory and pids, rarely cpuset
  if (code === 125) expect(stderr).toContain("cpuset")
  else expect(stdout).toBe("Cpus_allowed_list:\t0\n")
})

testUnless(noLimits)("--cpu-shares is accepted", async () => {
  expect(await skiff.ok("run", "--rm", "--cpu-shares", "512", "busybox", "echo", "ran")).toBe("ran")
})

for (const flags of [
  ["-m", "512m"],
  ["--cpus", "0.5"],
  ["--pids-limit", "10"],
])
  testUnless(!noLimits && "limits hold here")(
    `${flags[0]} is refused where no cgroup is ours, with the remedy`,
    async () => {
      const { code, stderr } = await skiff.run(["run", "--rm", ...flags, "busybox", "true"])
      expect(code).toBe(125)
      expect(stderr).toContain("cgroup")
      expect(stderr).toContain("hint")
    },
  )

/** Of cgroup v1, which these tests read in the container. */
const noV1 = noLimits || (!existsSync("/sys/fs/cgroup/memory") && "this host has no controllers on cgroup v1")
const V1 = "/sys/fs/cgroup"

for (const runtime of runtimes) {
  const inside = (flags: readonly string[], script: string) =>
    skiff.ok("run", "--rm", "--network", "none", "--runtime", runtime, ...flags, "busybox", "sh", "-c", script)

  testUnless(noV1)(`the kernel's files hold what was asked for (${runtime})`, async () => {
    const table: [flags: string[], script: string, expected: string][] = [
      [["--memory-swappiness", "10"], `cat ${V1}/memory/memory.swappiness`, "10"],
      [["-m", "64m", "--memory-reservation", "32m"], `cat ${V1}/memory/memory.soft_limit_in_bytes`, "33554432"],
      [["--cpu-period", "50000", "--cpu-quota", "20000"], `cat ${V1}/cpu/cpu.cfs_quota_us`, "20000"],
      [["--device-cgroup-rule", "c 10:200 rw"], `grep -c "^c 10:200 rw" ${V1}/devices/devices.list`, "1"],
    ]
    for (const [flags, script, expected] of table)
      expect({ flags, value: await inside(flags, script) }).toEqual({ flags, value: expected })
  })

  testUnless(noV2)(`the kernel's files hold what was asked for, on v2 (${runtime})`, async () => {
    const table: [flags: string[], script: string, expected: string][] = [
      [["-m", "64m", "--memory-swap", "96m"], "cat memory.max memory.swap.max", "67108864\n33554432"],
      [["-m", "64m", "--memory-reservation", "32m"], "cat memory.low", "33554432"],
      [["--cpu-period", "50000", "--cpu-quota", "20000"], "cat cpu.max", "20000 50000"],
      [["--cgroup-conf", "memory.high=50331648"], "cat memory.high", "50331648"],
    ]
    for (const [flags, script, expected] of table)
      expect({ flags, value: await inside(flags, `cd /sys/fs/cgroup; ${script}`) }).toEqual({ flags, value: expected })
    for (const flags of [["--memory-swappiness", "10"], ["--cpu-rt-runtime", "1000"], ["--oom-kill-disable"]]) {
      const { code, stderr } = await skiff.run(["run", "--rm", "--runtime", runtime, ...flags, "busybox", "true"])
      expect({ flags, code, why: stderr.includes("cgroup v2") }).toEqual({ flags, code: 125, why: true })
    }
  })

  testUnless(noV1 || noDisk)(`a weight of block I/O is the scheduler's that there is (${runtime})`, async () => {
    const flags = ["--blkio-weight", "300"]
    expect(await inside(flags, `cd ${V1}/blkio; cat blkio.bfq.weight 2>/dev/null || cat blkio.weight`)).toBe("300")
  })

  testUnless(noV1 || noDisk)(`reads and writes of a disk are bounded (${runtime})`, async () => {
    const flags = ["read-bps", "write-bps", "read-iops", "write-iops"].flatMap((what, index) => [
      `--device-${what}`,
      `${disk}:${(index + 1) * 1024}`,
    ])
    const files = "read_bps write_bps read_iops write_iops".split(" ").map((file) => `blkio.throttle.${file}_device`)
    const values = await inside(flags, `cd ${V1}/blkio; cat ${files.join(" ")}`)
    expect(values.split("\n").map((line) => line.split(" ")[1])).toEqual(["1024", "2048", "3072", "4096"])
  })

  testUnless(noLimits)(`--cgroup-parent places it, and its end leaves nothing of it (${runtime})`, async () => {
    const parent = `/limits-test-${process.pid}`
    const name = `placed-${runtime}`
    await skiff.ok(
      "run",
      "-d",
      "--runtime",
      runtime,
      "--name",
      name,
      "--cgroup-parent",
      parent,
      "busybox",
      "sleep",
      "99",
    )
    try {
      const { Id, State, HostConfig } = await skiff.inspect(name)
      expect(HostConfig.CgroupParent).toBe(parent)
      const own = readFileSync(`/proc/${State.Pid}/cgroup`, "utf8")
      expect(own).toContain(`${parent}/skiff-${Id}`)
    } finally {
      await skiff.ok("rm", "-f", name)
      for (const directory of cgroupsNamed(parent.slice(1))) rmdirSync(directory)
    }
  })
}

testUnless(noLimits)("--cgroups disabled leaves it in its maker's cgroup, and refuses limits", async () => {
  const { code, stderr } = await skiff.run(["run", "--rm", "--cgroups", "disabled", "-m", "64m", "busybox", "true"])
  expect(code).toBe(125)
  expect(stderr).toMatch(/no cgroup|makes a cgroup/)
  const split = await skiff.run(["run", "--rm", "--cgroups", "split", "busybox", "true"])
  expect(split.stderr).toContain("cannot be split")
})

test("--oom-score-adj is what the kernel has of the program, and inspect says so", async () => {
  await skiff.ok("create", "--name", "scored", "--oom-score-adj", "321", "busybox", "cat", "/proc/self/oom_score_adj")
  expect(await skiff.ok("start", "-a", "scored")).toBe("321")
  expect((await skiff.inspect("scored")).HostConfig.OomScoreAdj).toBe(321)
  await skiff.ok("rm", "scored")
})

test("--ulimit bounds the program, and `host` leaves it those of its caller", async () => {
  const read = ["busybox", "sh", "-c", "ulimit -n; ulimit -Hn"]
  expect(await skiff.ok("run", "--rm", "--ulimit", "nofile=100:200", ...read)).toBe("100\n200")
  expect(await skiff.ok("run", "--rm", "--ulimit", "host", ...read)).toBe(await skiff.ok("run", "--rm", ...read))
})

test("what this host cannot do is refused by name, with the reason", async () => {
  const table: [flags: string[], words: string | RegExp][] = [
    [["--storage-opt", "size=10G"], "cannot be bounded"],
    [["--storage-opt", "colour=red"], "unknown storage option"],
    [["--rdt-class", "gold"], /RDT/],
    [["--kernel-memory", "64m"], "Linux 5.16"],
    [["--cpu-count", "2"], "Windows"],
    [["--cpu-percent", "2"], "Windows"],
    [["--io-maxiops", "2"], "Windows"],
    [["--io-maxbandwidth", "2"], "Windows"],
    [["--rdma", "nothing0:handles=1"], /rdma|RDMA|writ/],
    [["--device-read-bps", "/dev/null:1mb"], /no block device|cgroup/],
    [["--oom-score-adj", "1001"], "-1000 to 1000"],
  ]
  for (const [flags, words] of table) {
    const { code, stderr } = await skiff.run(["run", "--rm", "--network", "none", ...flags, "busybox", "true"])
    expect({ flags, code }).toEqual({ flags, code: 125 })
    expect(stderr).toMatch(words)
  }
})

testUnless(rootlessOnly)("what an ordinary user cannot have is said by name", async () => {
  const table: [flags: string[], words: string][] = [
    [["--device-cgroup-rule", "c 10:200 rw"], "the device cgroup is root's"],
    [["--ulimit", "nofile=1:1099511627776"], "cannot raise the hard limit"],
    [["--oom-score-adj", "-1000"], "cannot lower the OOM score"],
    [["--rdt-class", "gold"], "resctrl is root's"],
  ]
  for (const [flags, words] of table) {
    const { code, stderr } = await skiff.run(["run", "--rm", "--network", "none", ...flags, "busybox", "true"])
    expect({ flags, code }).toEqual({ flags, code: 125 })
    expect(stderr).toContain(words)
  }
})

test("what cannot be held is refused at create, before anything is made", async () => {
  for (const flags of [
    ["-m", "1k"],
    ["--cpus", "4096"],
    ["--device-read-bps", "/dev/null:1mb"],
  ]) {
    const { code, stderr } = await skiff.run(["create", "--name", "never", ...flags, "busybox", "true"])
    expect({ flags, code, ours: stderr.startsWith("skiff: ") }).toEqual({ flags, code: 1, ours: true })
  }
  expect(await skiff.ok("ps", "-aq", "--filter", "name=never")).toBe("")
})

test("nonsense is refused", async () => {
  const table = [
    ["-m", "12parsecs"],
    ["-m", "1k"],
    ["--cpus", "-1"],
    ["--cpus", "many"],
    ["--cpuset-cpus", "0-2147483647"],
    ["--memory-swap", "1m", "-m", "64m"],
    ["--ulimit", "nofile=9:3"],
    ["--pids-limit", "x"],
    ["--memory-swappiness", "101"],
    ["--device-read-bps", "/etc/passwd:1mb"],
    ["--device-cgroup-rule", "c 1:3 rwm\nc *:* rwm"],
    ["--cgroup-parent", "/../.."],
    ["--cgroup-conf", "../cgroup.procs=1"],
    ["--cpus", "1", "--cpu-quota", "1000"],
    ["--cgroups", "disabled", "--cgroup-parent", "/x"],
  ]
  for (const flags of table) {
    const { code, stderr } = await skiff.run(["run", "--rm", ...flags, "busybox", "true"])
    expect({ flags, code }).toEqual({ flags, code: 125 })
    expect(stderr).toMatch(/^skiff: /)
  }
})

/** Directories of that name, of any hierarchy. */
function cgroupsNamed(name: string): string[] {
  const tops = ["", ...readdirSync("/sys/fs/cgroup")].map((hierarchy) => `/sys/fs/cgroup/${hierarchy}/${name}`)
  return tops.filter((directory) => existsSync(directory))
}
