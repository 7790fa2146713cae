import { expect, test } from "bun:test"
import { contextOf } from "./context.suite.ts"
import { deviceOptions } from "./devices.ts"
import { limitOptions } from "./limits.ts"
import { restartOptions } from "./restart.ts"

test("deploy.resources goes before the service's own keys", () => {
  const service = {
    mem_limit: "1048576",
    memswap_limit: "-1",
    cpus: 1,
    cpuset: "0-1",
    deploy: { resources: { limits: { memory: "52428800", cpus: "0.5", pids: 20 }, reservations: { memory: "1024" } } },
  }
  expect(limitOptions(contextOf(service)).resources).toEqual({
    memoryBytes: 52_428_800,
    memorySwapBytes: -1,
    memoryReservationBytes: 1024,
    cpus: 0.5,
    cpusetCpus: "0-1",
    pidsLimit: 20,
  })
})

test("ulimits, shared memory, storage and block devices", () => {
  const options = limitOptions(
    contextOf({
      ulimits: { nproc: 65, nofile: { soft: 10, hard: 20 } },
      shm_size: "1048576",
      storage_opt: { size: "1G" },
      oom_score_adj: 5,
      device_cgroup_rules: ["c 1:3 r"],
      blkio_config: { weight: 300, device_read_bps: [{ path: "/dev/sda", rate: "12mb" }] },
    }),
  )
  expect(options).toEqual({
    resources: { blkioWeight: 300, deviceReadBps: [{ device: "/dev/sda", rate: 12 * 1024 ** 2 }] },
    ulimits: [
      { name: "nproc", soft: 65, hard: 65 },
      { name: "nofile", soft: 10, hard: 20 },
    ],
    limits: {
      oomScoreAdj: 5,
      deviceCgroupRules: [{ type: "c", major: 1, minor: 3, access: "r" }],
      storage: { size: "1G" },
    },
    shmSizeBytes: 1_048_576,
  })
})

test("what is Windows' has no effect, and is told", () => {
  const context = contextOf({ cpu_count: 2 })
  limitOptions(context)
  expect(context.warnings).toHaveLength(1)
  expect(context.warnings[0]).toContain("services.web.cpu_count")
})

test("a wrong limit is refused with its key", () => {
  expect(() => limitOptions(contextOf({ ulimits: { nofile: { soft: 20, hard: 10 } } }))).toThrow(
    "services.web.ulimits.nofile: ",
  )
  expect(() => limitOptions(contextOf({ mem_limit: "much" }))).toThrow("services.web.mem_limit: ")
})

test.each([
  [{ restart: "on-failure:3" }, { name: "on-failure", maximumRetryCount: 3 }],
  [{ restart: "unless-stopped" }, { name: "unless-stopped", maximumRetryCount: 0 }],
  [
    { restart: "no", deploy: { restart_policy: {} } },
    { name: "always", maximumRetryCount: 0 },
  ],
  [
    { deploy: { restart_policy: { condition: "on-failure", max_attempts: 4 } } },
    { name: "on-failure", maximumRetryCount: 4 },
  ],
  [
    { restart: "always", deploy: { restart_policy: { condition: "none" } } },
    { name: "no", maximumRetryCount: 0 },
  ],
] as const)("%j restarts as %j", (service, restart) => {
  expect(restartOptions(contextOf(service as never))).toEqual({ restart })
})

test("a wrong policy is refused with its key", () => {
  expect(() => restartOptions(contextOf({ restart: "sometimes" }))).toThrow("services.web.restart: ")
})

test("devices by path and name, and GPUs of all three places", () => {
  const options = deviceOptions(
    contextOf({
      devices: [
        { source: "/dev/null", target: "/dev/hole", permissions: "rw" },
        { source: "vendor.com/class=one", target: "vendor.com/class=one" },
      ],
      gpus: [{ count: -1 }],
      deploy: {
        resources: { reservations: { devices: [{ driver: "nvidia", device_ids: ["0", "3"], capabilities: ["gpu"] }] } },
      },
    }),
  )
  expect(options).toEqual({
    devices: [{ hostPath: "/dev/null", containerPath: "/dev/hole", permissions: "rw" }],
    security: {
      cdiDevices: ["vendor.com/class=one", "nvidia.com/gpu=all", "nvidia.com/gpu=0", "nvidia.com/gpu=3"],
    },
  })
})

test("a driver of GPUs that nobody knows is refused with its key", () => {
  const service = { gpus: [{ driver: "tensor", count: 1 }] }
  expect(() => deviceOptions(contextOf(service))).toThrow('services.web.gpus[0]: no driver "tensor"')
})
