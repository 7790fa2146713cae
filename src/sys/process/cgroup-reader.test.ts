import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CgroupReader } from "./cgroup-reader.ts"

/** Files as the kernel writes them, where this host has the other version. */
function cgroup(files: Readonly<Record<string, string>>): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "skiff-cgroup-"))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

test("v2: one directory; devices are added up, `max` is no limit", () => {
  using files = cgroup({
    "cpu.stat": "usage_usec 2500\nuser_usec 2000\nsystem_usec 500\n",
    "memory.current": "4096\n",
    "memory.max": "max\n",
    "memory.stat": "anon 1\nfile 2\nactive_file 3\ninactive_file 77\n",
    "io.stat": "254:0 rbytes=100 wbytes=7 rios=1 wios=1 dbytes=0 dios=0\n254:16 rbytes=23 wbytes=1 rios=1 wios=0\n",
    "pids.current": "3\n",
    "pids.max": "4096\n",
  })
  using reader = new CgroupReader(new Map([["", files.path]]))
  expect(reader.read()).toEqual({
    cpuNs: 2_500_000,
    memoryBytes: 4096,
    anonymousBytes: 1,
    pageFaults: undefined,
    majorPageFaults: undefined,
    swapBytes: undefined,
    inactiveFileBytes: 77,
    memoryPeakBytes: undefined,
    memoryLimitBytes: undefined,
    blockReadBytes: 123,
    blockWrittenBytes: 8,
    pids: 3,
    pidsLimit: 4096,
  })
})

test("v1: a directory for each controller; what is not mounted is not counted", () => {
  using files = cgroup({
    "memory.usage_in_bytes": "8192\n",
    "memory.limit_in_bytes": "9223372036854771712\n",
    "memory.stat": "inactive_file 5\ntotal_inactive_file 6\n",
    "blkio.throttle.io_service_bytes_recursive": "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\n8:16 Read 1\nTotal 31\n",
  })
  using reader = new CgroupReader(new Map(["memory", "blkio"].map((name) => [name, files.path])))
  expect(reader.read()).toMatchObject({
    cpuNs: undefined,
    memoryBytes: 8192,
    memoryLimitBytes: undefined,
    inactiveFileBytes: 6,
    blockReadBytes: 11,
    blockWrittenBytes: 20,
    pids: undefined,
  })
})

test("numbers are read anew each time, and are gone with the cgroup's files", () => {
  using files = cgroup({ "pids.current": "1\n" })
  using reader = new CgroupReader(new Map([["", files.path]]))
  expect(reader.read().pids).toBe(1)
  writeFileSync(join(files.path, "pids.current"), "12\n")
  expect(reader.read().pids).toBe(12)
})
