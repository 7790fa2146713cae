import { availableParallelism, hostname, release, totalmem } from "node:os"
import { NotFound } from "../base/errors.ts"
import { VERSION } from "../base/version.ts"
import { chooseIsolation } from "../build/execute/isolation.ts"
import { DEFAULT_LOG_BYTES } from "../container/log-driver.ts"
import { DEFAULT_LOG_DRIVER, DEFAULT_PIDS_LIMIT } from "../container/options.ts"
import type { Containers } from "../container/container.ts"
import type { Images } from "../image/image.ts"
import { chooseRuntime } from "../runtime/oci/choose.ts"
import type { Runtimes } from "../runtime/runtime.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import { hostPlatform } from "../spec/platform.ts"
import { detectCgroups, type Cgroups } from "../sys/process/cgroup.ts"
import { findProgram, osRelease, readText } from "../sys/host.ts"
import { installCommand } from "../sys/install-command.ts"
import { rootlessUid, type StorePaths } from "../sys/fs/paths.ts"
import type { EngineInfo } from "../docker/info-document.ts"
import { programVersion } from "../doctor/program-version.ts"

/** What `info` reads. */
export interface InfoSources {
  paths: StorePaths
  containers: Containers
  images: Images
  snapshots: Pick<Snapshotter, "driver">
  runtimes: Pick<Runtimes, "choose">
  /** `--runtime` of the whole engine. */
  runtime?: string
}

/** What `skiff info` shows. Throws NotFound when there is no runtime or no monitor at all. */
export async function engineInfo(sources: InfoSources): Promise<EngineInfo> {
  const cgroups = detectCgroups()
  const [runtime, monitor] = await Promise.all([runtimeInfo(sources, cgroups), monitorInfo()])
  const isRootless = rootlessUid() !== undefined
  return {
    version: VERSION,
    root: sources.paths.root,
    runRoot: sources.paths.runRoot,
    rootless: isRootless,
    containers: countContainers(sources.containers),
    images: sources.images.list().length,
    snapshotter: sources.snapshots.driver,
    runtime,
    monitor,
    buildIsolation: buildIsolation(sources.runtime),
    cgroup: { version: cgroups.version, delegatedControllers: cgroups.controllers },
    kernel: release(),
    operatingSystem: osRelease().prettyName,
    architecture: hostPlatform().architecture,
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    hostname: hostname(),
    securityOptions: securityOptions(isRootless),
    defaults: {
      logDriver: DEFAULT_LOG_DRIVER,
      logBytes: DEFAULT_LOG_BYTES,
      pidsLimit: cgroups.controllers.includes("pids") ? DEFAULT_PIDS_LIMIT : undefined,
    },
  }
}

function buildIsolation(runtime: string | undefined): string {
  try {
    const { level, reason } = chooseIsolation("auto", { network: "default", runtime })
    return reason === "" ? level : `${level} (${reason})`
  } catch (error) {
    return `none: ${error instanceof Error ? error.message : String(error)}`
  }
}

function countContainers(containers: Containers): EngineInfo["containers"] {
  const states = containers.list({ all: true }).map(({ state }) => state.status)
  const running = states.filter((status) => status === "running").length
  const paused = states.filter((status) => status === "paused").length
  return { total: states.length, running, paused, stopped: states.length - running - paused }
}

async function runtimeInfo(
  { runtimes, runtime: asked }: InfoSources,
  cgroups: Cgroups,
): Promise<EngineInfo["runtime"]> {
  const { name, path } = await runtimes.choose()
  const version = (await programVersion(path)) ?? "unknown"
  if (asked !== undefined) return { name, path, version, reason: "requested" }
  const choice = chooseRuntime(cgroups)
  const reason = choice.name === name ? choice.reason : `${choice.name} is not installed`
  return { name, path, version, reason }
}

async function monitorInfo(): Promise<EngineInfo["monitor"]> {
  const path = findProgram("conmon")
  if (path === undefined)
    throw new NotFound("conmon, which monitors containers, is not installed", {
      hint: `install it: ${installCommand({ debian: "conmon" })}`,
    })
  return { path, version: (await programVersion(path)) ?? "unknown" }
}

/** Docker's words: `name=seccomp,profile=builtin`. */
function securityOptions(isRootless: boolean): string[] {
  const modules = readText("/sys/kernel/security/lsm")?.split(",") ?? []
  return [
    ...(modules.includes("apparmor") ? ["name=apparmor"] : []),
    ...(modules.includes("selinux") ? ["name=selinux"] : []),
    ...(readText("/proc/self/status")?.includes("\nSeccomp:") ? ["name=seccomp,profile=builtin"] : []),
    ...(isRootless ? ["name=rootless"] : []),
    "name=cgroupns",
  ]
}
