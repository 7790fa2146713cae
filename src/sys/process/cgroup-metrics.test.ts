import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "bun:test"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { cgroupMetrics, parsePressure } from "./cgroup-metrics.ts"

function written(files: Record<string, string>): string {
  const directory = tempDirectory("skiff-cgroup-metrics-")
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, ".."), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}

test("of v2 all is in one directory", () => {
  const directory = written({
    "cpu.stat":
      "usage_usec 30\nuser_usec 2000000\nsystem_usec 1000000\nnr_periods 5\nnr_throttled 2\nthrottled_usec 500000\n",
    "cpu.max": "20000 100000\n",
    "cpu.weight": "100\n",
    "memory.stat": "anon 1\nfile 4096\nkernel 100\nfile_mapped 50\npgfault 7\npgmajfault 1\n",
    "memory.events": "low 0\nmax 3\noom_kill 1\n",
    "memory.max": "max\n",
    "memory.swap.max": "0\n",
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n",
    "hugetlb.2MB.current": "4194304\n",
    "pids.current": "4\n",
    "pids.max": "max\n",
    "cgroup.procs": `${process.pid}\n`,
    "memory.pressure":
      "some avg10=1.50 avg60=0.00 avg300=0.00 total=1234\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
  })
  const found = cgroupMetrics(new Map([["", directory]]))
  expect(found).toMatchObject({
    cpu: {
      userSeconds: 2,
      systemSeconds: 1,
      periods: 5,
      throttledPeriods: 2,
      throttledSeconds: 0.5,
      periodUs: 100_000,
      quotaUs: 20_000,
    },
    memory: { cacheBytes: 4096, mappedFileBytes: 50, kernelBytes: 100, failures: 3, oomKills: 1, swapLimitBytes: 0 },
    devices: [{ device: "8:0", readBytes: 10, writtenBytes: 20, reads: 1, writes: 2 }],
    hugepages: [{ pageSize: "2MB", usedBytes: 4_194_304 }],
    pressure: { memory: { some: { avg10: 1.5, totalMicroseconds: 1234 }, full: { totalMicroseconds: 5 } } },
    processes: 1,
    threads: 4,
  })
  expect([found.memory.limitBytes, found.threadsLimit]).toEqual([undefined, undefined])
  expect(found.fileDescriptors).toBeGreaterThan(0)
})

test("of v1 each controller has its own, and some lie together", () => {
  const directory = written({
    "cpu/cpu.stat": "nr_periods 5\nnr_throttled 2\nthrottled_time 500000000\n",
    "cpu/cpuacct.stat": "user 200\nsystem 100\n",
    "cpu/cpu.shares": "512\n",
    "cpu/cpu.cfs_quota_us": "-1\n",
    "memory/memory.stat": "cache 1\ntotal_cache 4096\ntotal_mapped_file 50\ntotal_pgfault 7\n",
    "memory/memory.limit_in_bytes": "9223372036854771712\n",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    "blkio/blkio.throttle.io_service_bytes_recursive": "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n",
    "blkio/blkio.throttle.io_serviced_recursive": "8:0 Read 1\n8:0 Write 2\nTotal 3\n",
  })
  const directories = new Map([
    ["cpu,cpuacct", join(directory, "cpu")],
    ["memory", join(directory, "memory")],
    ["blkio", join(directory, "blkio")],
  ])
  const found = cgroupMetrics(directories)
  expect(found).toMatchObject({
    cpu: { userSeconds: 2, systemSeconds: 1, throttledSeconds: 0.5, shares: 512, quotaUs: -1 },
    memory: { cacheBytes: 4096, oomKills: 1 },
    devices: [{ device: "8:0", readBytes: 10, writtenBytes: 20, reads: 1, writes: 2 }],
    processes: 0,
  })
  expect(found.memory.limitBytes).toBeUndefined()
})

test("a file of pressure that is none is none", () => {
  for (const text of ["", "some", "full avg10=0 avg60=0 avg300=0 total=1\n"])
    expect(parsePressure(text)).toBeUndefined()
})
