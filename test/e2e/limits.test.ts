/** Limits hold, or are refused with the reason: never dropped in silence. */
import { expect, test } from "bun:test"
import { setTimeout as sleep } from "node:timers/promises"
import { noLimits, openStore, testUnless } from "../support/store.ts"

const skiff = openStore()
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
  ]
  for (const flags of table) {
    const { code, stderr } = await skiff.run(["run", "--rm", ...flags, "busybox", "true"])
    expect({ flags, code }).toEqual({ flags, code: 125 })
    expect(stderr).toMatch(/^skiff: /)
  }
})
