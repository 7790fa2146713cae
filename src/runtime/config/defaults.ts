import { existsSync } from "node:fs"
import type { OciMount } from "../../spec/oci-runtime.ts"
import type { ConfigInput } from "../runtime.ts"

/** Where `--init` puts its program: on the container's own /dev. */
export const INIT_PATH = "/dev/init"

/** Hidden from the container: each tells of the host, or has let programs reach its hardware (CVE-2017-16539 …). */
export const MASKED_PATHS: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
]

/** To be read, not written: a write would change the host. */
export const READONLY_PATHS: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
]

const SHM_BYTES = 64 * 1024 * 1024

/** What the host allows of the mounts that every container has. */
export interface DefaultMountsHost {
  /** False where the user has no cgroups. */
  cgroupMount: boolean
  /** It may be written, as in a privileged container. */
  writableCgroups?: boolean
  /** Show the host's mounted /sys, as a new one may not be mounted. */
  bindSys: boolean
  /** The same of /proc. */
  bindProc: boolean
  /** The user namespace maps one id only. */
  singleId?: boolean
}

/** The kernel's file systems that every container has, in docker's order and with docker's options. */
export function defaultMounts(input: ConfigInput, host: DefaultMountsHost): OciMount[] {
  const { cgroupMount, bindSys, bindProc, singleId } = host
  const cgroupAccess = input.privileged || host.writableCgroups === true || input.ownsCgroups === true ? "rw" : "ro"
  const access = input.privileged ? "rw" : "ro"
  const guarded = ["nosuid", "noexec", "nodev"]
  const ipc = input.ipc ?? "private"
  return [
    bindProc ? bindOf("/proc", guarded) : { destination: "/proc", type: "proc", source: "proc", options: guarded },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      // gid 5 is tty: where one id is mapped there is no such group
      options: [
        "nosuid",
        "noexec",
        "newinstance",
        "ptmxmode=0666",
        "mode=0620",
        ...(singleId === true ? [] : ["gid=5"]),
      ],
    },
    bindSys
      ? bindOf("/sys", [...guarded, "ro"])
      : { destination: "/sys", type: "sysfs", source: "sysfs", options: [...guarded, access] },
    ...(cgroupMount
      ? [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [...guarded, cgroupAccess] }]
      : []),
    ...(ipc === "host"
      ? // of the host's: what it has
        ["/dev/mqueue", "/dev/shm"].filter(existsSync).map((path) => bindOf(path, guarded))
      : [
          { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: guarded },
          ...(input.shm === false ? [] : [shmOf(input, guarded)]),
        ]),
  ]
}

function shmOf({ shmSizeBytes = SHM_BYTES }: ConfigInput, guarded: readonly string[]): OciMount {
  const options = [...guarded, "mode=1777", `size=${shmSizeBytes}`]
  return { destination: "/dev/shm", type: "tmpfs", source: "shm", options }
}

/** Private: where the host's is shared, what is mounted on it inside (masks, cgroups) would be mounted on the host's own. */
function bindOf(path: string, options: readonly string[]): OciMount {
  return { destination: path, type: "bind", source: path, options: ["rbind", "rprivate", ...options] }
}
