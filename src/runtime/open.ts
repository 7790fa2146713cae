import type { OciConfig, OciHooks } from "../spec/oci-runtime.ts"
import { existsSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { NotFound } from "../base/errors.ts"
import { installCommand } from "../sys/install-command.ts"
import { cgroupDirectories, detectCgroups, hasCgroupFile, hierarchyPaths, readOomKills } from "../sys/process/cgroup.ts"
import { CgroupReader } from "../sys/process/cgroup-reader.ts"
import { findProgram } from "../sys/host.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import { isSingleIdMap } from "../sys/rootless/namespaces.ts"
import { sharedCgroups } from "./shared-cgroups.ts"
import { noCgroup, placedCgroups } from "./config/cgroup-placement.ts"
import { attachTo } from "./monitor/attach.ts"
import { bundlePaths } from "./bundle.ts"
import { availableCapabilities } from "./config/capabilities.ts"
import { openChosen } from "./oci/choose.ts"
import { execProcess, hostCpus, runtimeConfig } from "./config/config.ts"
import { execExitCode, execIn, resizeExec } from "./monitor/exec.ts"
import { endMonitor } from "./monitor/end-monitor.ts"
import { exitCode, findMonitor, startMonitor } from "./monitor/monitor.ts"
import { isStepRuntime, withoutCgroups } from "./rootless/open.ts"
import type { BundlePaths, ConfigInput, Runtimes } from "./runtime.ts"
import { resolveMountTargets } from "./config/mount-targets.ts"
import { checkRootfs } from "./config/rootfs.ts"
import { filterFile, handBackFilter, keepFilter } from "./oci/kept-filter.ts"
import { runToEnd } from "./oci/run-to-end.ts"
import { customSeccomp, DEFAULT_PROFILE, defaultSeccomp, hostTarget, imageSeccomp } from "./config/seccomp.ts"
import { seccompChoice } from "./config/security-options.ts"

/** What the domain is handed. */
export interface RuntimesOptions {
  root: string
  runRoot: string
  /** `--runtime` of the whole engine. */
  runtime?: string
  /** For the runtime itself, before its verb, without dashes. */
  runtimeFlags?: readonly string[]
  /** Directories of hooks, in the order of growing precedence. Default: those of oci-hooks(5), where they are. */
  hooksDirectories?: readonly string[]
}

const HOOKS_DIRECTORIES = ["/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d"]

/** The runtimes and monitors of this host. Opens nothing, looks at nothing before it is asked. */
export function openRuntimes(options: RuntimesOptions): Runtimes {
  let capabilities: string[] | undefined
  const available = (): string[] => (capabilities ??= availableCapabilities())
  const hooksFor = async (config: OciConfig, input: ConfigInput, others?: OciHooks): Promise<OciHooks | undefined> => {
    const directories = options.hooksDirectories ?? HOOKS_DIRECTORIES.filter((directory) => existsSync(directory))
    if (input.hooks === undefined || (directories.length === 0 && others === undefined)) return undefined
    const { configuredHooks, joinHooks, subjectOf } = await import("./config/hooks.ts")
    return joinHooks(others, configuredHooks(directories, subjectOf(config, input.hooks.hasBindMounts)))
  }
  const stateRoot = join(options.runRoot, "runtime")
  /** Containers whose filter the runtime compiles itself, and where it will be kept. */
  const uncompiled = new Map<string, string>()
  const bundle = (id: string): BundlePaths => bundlePaths(options.runRoot, id)
  return {
    sharedCgroups,
    bundle,
    choose: async (name, { timeNamespace, withoutCgroup = false, withHooks = false } = {}) =>
      openChosen(name ?? options.runtime, withoutCgroup ? noCgroup(detectCgroups()) : detectCgroups(), {
        stateRoot,
        timeNamespace,
        flags: options.runtimeFlags,
        withHooks,
      }),
    async config(asked, runtime) {
      checkRootfs(asked.rootfs)
      const cdi = asked.cdiDevices?.length ? await import("./config/cdi.ts") : undefined
      const edits = cdi?.resolveCdi(asked.cdiDevices ?? [])
      const input = cdi === undefined || edits === undefined ? asked : cdi.withEdits(asked, edits)
      const plain = isStepRuntime(runtime)
      const mounts = resolveMountTargets(input.rootfs, input.mounts)
      const config = runtimeConfig(mounts.length === 0 ? input : { ...input, mounts }, {
        cgroups: plain ? withoutCgroups(detectCgroups()) : placedCgroups(input.cgroupPlacement, detectCgroups()),
        rootless: plain || rootlessUid() !== undefined,
        singleId: isSingleIdMap(),
        capabilities: available(),
        cpus: hostCpus(),
        // ids of a user namespace may not go through the engine's directories; crun starts from the bundle
        relativeRoot: input.userNamespace !== undefined && runtime.name === "crun" ? basename(input.rootfs) : undefined,
        knowsDomainname: runtime.name === "crun",
        hasCgroupFile,
        hierarchies: hierarchyPaths(),
      })
      const realtimeUs = config.linux.resources?.cpu?.realtimeRuntime
      if (realtimeUs !== undefined) {
        const { giveRealtimeBudget } = await import("../sys/process/realtime-budget.ts")
        giveRealtimeBudget(realtimeUs, detectCgroups(), input.cgroupPlacement?.parent)
      }
      const hooks = await hooksFor(config, asked, cdi?.hooksOf(edits ?? {}))
      if (hooks !== undefined) config.hooks = hooks
      const choice = seccompChoice(input.securityOptions) ?? (input.privileged ? "unconfined" : undefined)
      if (choice === "unconfined" || (plain && !existsSync(DEFAULT_PROFILE))) return config
      const target = hostTarget(config.process.capabilities.bounding, input.imageArchitecture === "386")
      const isDefault = choice === undefined || choice === "builtin" || choice === "default"
      if (!isDefault) config.linux.seccomp = customSeccomp(target, choice)
      else if (choice === undefined && input.seccompProfile !== undefined)
        config.linux.seccomp = imageSeccomp(target, input.seccompProfile)
      else {
        const { rules, key } = defaultSeccomp(target, join(options.root, "cache", "seccomp"))
        config.linux.seccomp = rules
        const file = filterFile(stateRoot, key, { path: runtime.path, annotations: config.annotations })
        if (file !== undefined && !handBackFilter(config, file)) uncompiled.set(input.id, file)
      }
      return config
    },
    keepCompiled(id) {
      const file = uncompiled.get(id)
      if (file !== undefined) keepFilter(stateRoot, id, file)
      uncompiled.delete(id)
    },
    execProcess: (config, input) =>
      execProcess(config, input, { available: available(), rootless: rootlessUid() !== undefined }),
    startMonitor: async (monitorOptions) => startMonitor(monitorPath(), monitorOptions),
    endMonitor: (id) => endMonitor(id, bundle(id)),
    findMonitor,
    exitCode,
    attach: (paths) => attachTo(paths.attachSocket),
    resize: (paths, { rows, columns }) => writeFileSync(paths.control, `1 ${rows} ${columns}\n`),
    resizeExec,
    execExitCode,
    reopenLog: (paths) => writeFileSync(paths.control, "2 0 0\n"),
    exec: (execOptions) => execIn(monitorPath(), execOptions),
    openProber: async (proberOptions) => (await import("./probe/prober.ts")).openProber(proberOptions),
    runToEnd,
    checkLimits: async (limits, placement) => (await lateLimits()).checkLimits(limits, placement),
    changeLimits: async (runtime, id, change) => (await lateLimits()).changeLimits(runtime, id, change),
    weighBlockIo: async (id, limits, placement) => (await lateLimits()).weighBlockIo(id, limits, placement),
    checkpoints: async () => (await import("./criu/open.ts")).CHECKPOINTS,
    usage(id, paths, cgroup = {}) {
      const cgroups = detectCgroups()
      const isMarked = existsSync(join(paths.directory, "oom"))
      if (cgroups.manager === "disabled" || cgroup.disabled) return { oomKilled: isMarked }
      const directories = cgroupDirectories(id, cgroups, cgroup.parent)
      using reader = new CgroupReader(directories)
      // conmon marks the end by the OOM killer too: all that is left when systemd has removed the scope by then
      return { oomKilled: isMarked || readOomKills(directories) > 0, ...reader.read() }
    },
  }
}

/** Loads when a container's limits change, or are not a runtime's work. */
const lateLimits = () => import("./limits.ts")

/** The absolute path of conmon. Throws NotFound with the repair. */
function monitorPath(): string {
  const path = findProgram("conmon")
  if (path === undefined)
    throw new NotFound("conmon, which monitors containers, is not installed", {
      hint: installCommand({ debian: "conmon" }),
    })
  return path
}
