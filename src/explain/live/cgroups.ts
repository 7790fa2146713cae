/** The control groups of a process, read from the kernel: where they lie, and what was set in them. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { mountTable } from "./mount-table.ts"

/** A directory of a hierarchy. */
export interface CgroupDirectory {
  /** `memory`, `name=systemd`; `""` is the one hierarchy of v2. */
  controller: string
  path: string
}

/** A file of a control group that says something else than the kernel's own default. */
export interface CgroupFile {
  controller: string
  /** Absolute. */
  path: string
  /** As the file says it; of several lines, those of interest. */
  value: string
}

/** The control groups of one process. */
export interface CgroupFacts {
  version: "v1" | "v2" | "hybrid"
  directories: readonly CgroupDirectory[]
  files: readonly CgroupFile[]
}

const NO_LIMIT_V1 = /^9223372036854\d+$/

/** Files that a limit is written into, by controller, with what they say when none was. */
const V1_FILES: Readonly<Record<string, readonly (readonly [file: string, initial: RegExp])[]>> = {
  memory: [
    ["memory.limit_in_bytes", NO_LIMIT_V1],
    ["memory.memsw.limit_in_bytes", NO_LIMIT_V1],
    ["memory.soft_limit_in_bytes", NO_LIMIT_V1],
    ["memory.kmem.tcp.limit_in_bytes", NO_LIMIT_V1],
    ["memory.swappiness", /^60$/],
  ],
  cpu: [
    ["cpu.cfs_period_us", /^100000$/],
    ["cpu.cfs_quota_us", /^-1$/],
    ["cpu.shares", /^1024$/],
    ["cpu.rt_runtime_us", /^0$/],
    ["cpu.idle", /^0$/],
  ],
  cpuset: [
    // an empty one takes no process
    ["cpuset.cpus", /^$/],
    ["cpuset.mems", /^$/],
  ],
  pids: [["pids.max", /^max$/]],
  blkio: [
    ["blkio.bfq.weight", /^100$/],
    ["blkio.weight", /^500$/],
    ["blkio.throttle.read_bps_device", /^$/],
    ["blkio.throttle.write_bps_device", /^$/],
    ["blkio.throttle.read_iops_device", /^$/],
    ["blkio.throttle.write_iops_device", /^$/],
  ],
  devices: [["devices.list", /^a \*:\* rwm$/]],
}

const V2_FILES: readonly (readonly [file: string, initial: RegExp])[] = [
  ["memory.max", /^max$/],
  ["memory.high", /^max$/],
  ["memory.low", /^0$/],
  ["memory.min", /^0$/],
  ["memory.swap.max", /^max$/],
  ["memory.oom.group", /^0$/],
  ["cpu.max", /^max 100000$/],
  ["cpu.weight", /^100$/],
  ["cpu.idle", /^0$/],
  ["cpuset.cpus", /^$/],
  ["cpuset.mems", /^$/],
  ["pids.max", /^max$/],
  ["io.max", /^$/],
  ["io.weight", /^default 100$/],
  ["io.bfq.weight", /^default 100$/],
  ["rdma.max", /^$/],
]

/** Reads the control groups of process `pid`. Throws errno errors when it is gone. */
export function cgroupFacts(pid: number): CgroupFacts {
  const hierarchies = mountTable("self").filter(({ type, root }) => type.startsWith("cgroup") && root === "/")
  const v2 = hierarchies.find(({ type }) => type === "cgroup2")
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").trimEnd().split("\n")
  const directories = lines.flatMap((line): CgroupDirectory[] => {
    const [, id = "", controllers = "", path = ""] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? []
    if (id === "0" && controllers === "")
      return v2 === undefined ? [] : [{ controller: "", path: join(v2.target, path) }]
    const at = hierarchies.find(({ type, superOptions }) => type === "cgroup" && hasAll(superOptions, controllers))
    return at === undefined ? [] : [{ controller: controllers, path: join(at.target, path) }]
  })
  const isUnified = directories.every(({ controller }) => controller === "")
  const version = isUnified ? "v2" : v2 === undefined ? "v1" : "hybrid"
  return { version, directories, files: directories.flatMap(setFiles) }
}

function hasAll(options: readonly string[], controllers: string): boolean {
  return controllers.split(",").every((one) => options.includes(one))
}

function setFiles({ controller, path }: CgroupDirectory): CgroupFile[] {
  const known = controller === "" ? V2_FILES : controller.split(",").flatMap((one) => V1_FILES[one] ?? [])
  return known.flatMap(([file, initial]) => {
    const value = readValue(join(path, file))
    return value === undefined || initial.test(value) ? [] : [{ controller, path: join(path, file), value }]
  })
}

/** Undefined where the kernel has no such file, or does not let us read it. */
export function readValue(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").trim()
  } catch {
    return undefined
  }
}
