import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition } from "../../base/errors.ts"
import { stepRuntimeName, type Runtime, type Runtimes } from "../../runtime/runtime.ts"
import { DEFAULT_PATH } from "../../spec/docker/environment.ts"
import type { OciConfig, OciMount } from "../../spec/oci-runtime.ts"
import { wakeCgroupLock } from "../../sys/process/cgroup-lock.ts"
import { openInRoot, openRoot } from "../../sys/fs/confined.ts"
import { resolveInRoot, statInRoot } from "../../sys/fs/confined-path.ts"
import { resolveUser, type ResolvedUser } from "../../sys/fs/image-users.ts"
import { close, O_DIRECTORY, O_PATH } from "../../sys/libc.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { canFilter } from "../../sys/process/seccomp-filter.ts"
import { ourPrivilege } from "../../sys/rootless/privilege.ts"
import type { RunOperation } from "../plan/definition.ts"
import type { RunChoices } from "../build.ts"
import type { CacheMounts } from "./cache-mounts.ts"
import { chooseIsolation, type Isolation } from "./isolation.ts"
import { makeDirectories } from "./make-directories.ts"
import { makeMountPoints } from "./mount-points.ts"
import { BUILD_HOSTNAME, type NetworkSlot, type NetworkSlots } from "./network-slots.ts"
import { MovedMounts } from "./moved-mounts.ts"
import { prepareRunMounts, type PreparedMounts } from "./run-mounts.ts"
import type { BuildDirectory } from "../build-directory.ts"
import type { RunSettings, Source, WorkContext } from "./executor.ts"
import type { ExecutorDeps } from "./deps.ts"

/** What the steps of one build share. */
export interface StepTools {
  deps: ExecutorDeps
  build: BuildDirectory
  slots: NetworkSlots
  caches: CacheMounts
  /** Isolation levels that the user has been told of. */
  told: Set<string>
}

/** What a step is: the first four arguments of `Executor.run`. */
export interface Step {
  operation: RunOperation
  root: string
  sources: readonly Source[]
  settings: RunSettings
}

/** See `Executor.run`. */
export async function runStep(tools: StepTools, step: Step, context: WorkContext): Promise<void> {
  const { operation, root, settings } = step
  wakeCgroupLock()
  await using undo = new AsyncDisposableStack()
  const isolation = isolationOf(step)
  checkAllowed(step, isolation)
  const runtimes = await tools.deps.runtimes()
  const runtimeName = isolation.level === "full" ? settings.runtime : stepRuntimeName(isolation.level)
  const runtime = await runtimes.choose(runtimeName)
  const run = tools.build.makeRun(runtimeName ?? "")
  undo.defer(() => tools.build.removeRun(run))
  const { id, path: directory, alive } = run
  const slot = needsSlot(step, isolation) ? await takeSlot(tools, operation, settings.more?.allow, undo) : undefined
  const user = resolveUser(root, operation.user)
  checkUser(user, isolation)
  makeImpliedDirectories(root, operation.cwd, user)
  const canMount = ourPrivilege() !== "unprivileged"
  const prepared = await prepareRunMounts({
    ...step,
    directory,
    rootless: tools.deps.rootless,
    canMount,
    caches: tools.caches,
    makeScratch: () => tools.build.make("scratch"),
    signal: context.signal,
    undo,
  })
  const files = writeNetworkFiles(tools.deps, canMount ? directory : tools.build.make("scratch"), step, slot)
  if (isolation.level === "single-uid") files.push(...aptSettings(root, directory))
  if (canMount) {
    undo.use(makeMountPoints(root, [...files.map(asPoint), ...prepared.points]))
    nameModes(root, prepared.mounts)
  }
  const config = await stepConfig({ id, step, user, slot, isolation, prepared, files, runtimes, runtime })
  tell(
    isolation,
    { isFiltered: !canMount || (config.linux.seccomp !== undefined && canFilter()) },
    tools,
    step,
    context,
  )
  if (!canMount)
    moveMounts(undo.use(new MovedMounts(root, tools.build.make("scratch"))), config, [...files, ...prepared.mounts])
  writeFileSync(join(directory, "config.json"), JSON.stringify(config), { mode: 0o600 })
  const code = await runtimes.runToEnd({
    id,
    directory,
    runtime,
    program: operation.argv[0],
    alive,
    ...settings.more?.streams,
    onOutput: (stream, bytes) => context.onLog(stream, bytes),
    signal: context.signal,
  })
  if (code !== 0) throw stepFailure(operation, code)
}

/** A tmpfs has the mode of the directory that it covers: runc sees to that by itself, crun gives 1777 to all. */
function nameModes(root: string, mounts: readonly OciMount[]): void {
  const rootFd = openRoot(root)
  try {
    for (const { type, destination, options } of mounts) {
      if (type !== "tmpfs") continue
      const mode = resolveInRoot(rootFd, rawName(destination)).stat?.mode
      if (mode !== undefined) options?.push(`mode=${(mode & 0o7777).toString(8).padStart(4, "0")}`)
    }
  } finally {
    close(rootFd)
  }
}

function isolationOf({ operation, settings }: Step): Isolation {
  const { network } = operation
  const isolation = chooseIsolation(settings.isolation ?? "auto", { network, runtime: settings.runtime })
  if (isolation.level === "chroot" && network === "none")
    throw new FailedPrecondition("a step without network is not possible at the isolation level chroot", {
      hint: "leave the network none out, or build where a user namespace can be made; see docs/build.md, CI",
    })
  return isolation
}

/** Once a build, where it is less than full, or was asked for. */
function tell(
  { level, reason }: Isolation,
  { isFiltered }: { isFiltered: boolean },
  { told }: StepTools,
  { settings }: Step,
  context: WorkContext,
): void {
  const key = `${level} ${isFiltered} ${reason}`
  if (told.has(key) || (level === "full" && (settings.isolation ?? "auto") === "auto")) return
  told.add(key)
  context.onProgress({ id: "isolation", stage: "isolated", subject: level, ...(reason === "" ? {} : { reason }) })
  if (level !== "full" && !isFiltered)
    context.onProgress({ id: "isolation-filter", stage: "without-system-call-filter" })
}

/** apt(8) fetches as a user of its own, which has no id here: it is told to do so as root, for the time of the step. */
function aptSettings(root: string, directory: string): OciMount[] {
  const settings = "/etc/apt/apt.conf.d"
  if (!hasDirectory(root, settings)) return []
  const source = join(directory, "apt.conf")
  writeFileSync(source, 'APT::Sandbox::User "root";\n', { mode: 0o644 })
  return [{ destination: `${settings}/99skiff-one-user`, type: "bind", source, options: ["rbind", "ro", "rprivate"] }]
}

function hasDirectory(root: string, path: string): boolean {
  const rootFd = openRoot(root)
  try {
    close(openInRoot(rootFd, path, O_PATH | O_DIRECTORY))
    return true
  } catch {
    return false
  } finally {
    close(rootFd)
  }
}

/** Throws FailedPrecondition for a user that has no id here. */
function checkUser({ uid, gid }: ResolvedUser, { level }: Isolation): void {
  if (level !== "single-uid" || (uid === 0 && gid === 0)) return
  throw new FailedPrecondition(
    `the step cannot run as ${uid}:${gid}: only root has an id at the isolation level single-uid`,
    {
      hint: "give yourself ids in /etc/subuid and /etc/subgid and install newuidmap; see docs/build.md, Inside CI containers",
    },
  )
}

/** Throws FailedPrecondition for a step that is to be bounded and has no interface of its own. */
function checkAllowed({ operation, settings }: Step, { level }: Isolation): void {
  const { allow, netns } = settings.more ?? {}
  if (allow === undefined || operation.network === "none") return
  if (operation.network === "default" && level === "full" && netns === undefined && operation.security === "sandbox")
    return
  throw new FailedPrecondition("where the step sends cannot be bounded: it has not a network of its own alone", {
    field: "egress.allow",
    hint: "let the step have a network and a sandbox of its own, and build at the isolation level full",
  })
}

/** Below `full` the network is ours. */
function needsSlot({ settings }: Step, { level }: Isolation): boolean {
  return level === "full" && settings.more?.netns === undefined
}

/** Instead of mounts, which are of no meaning then. */
function moveMounts(moved: MovedMounts, config: OciConfig, mounts: readonly OciMount[]): void {
  config.mounts = []
  moved.putDevices()
  for (const { destination, source = "" } of mounts) moved.put(destination, source)
}

async function takeSlot(
  { slots }: StepTools,
  { network, security }: RunOperation,
  allow: RunChoices["allow"],
  undo: AsyncDisposableStack,
): Promise<NetworkSlot | undefined> {
  if (network !== "default") return undefined
  const slot = await slots.take(allow)
  // with all capabilities it may have changed the namespace for who comes next
  if (security === "sandbox") undo.defer(() => slots.giveBack(slot))
  return slot
}

/** Made by the runtime where they are missing, and left in the layer: each runtime has a mode of its own for them. */
const KERNEL_DIRECTORIES = ["proc", "dev", "sys"]

/** As BuildKit: a missing working directory is made, and is the user's. */
function makeImpliedDirectories(root: string, cwd: string, { uid, gid }: ResolvedUser): void {
  const rootFd = openRoot(root)
  try {
    for (const name of KERNEL_DIRECTORIES)
      if (statInRoot(rootFd, name) === undefined)
        makeDirectories(rootFd, name, { mode: 0o755, owner: { uid: 0, gid: 0 } })
    makeDirectories(rootFd, rawName(cwd), { mode: 0o755, owner: { uid, gid } })
  } finally {
    close(rootFd)
  }
}

function writeNetworkFiles(
  { files }: ExecutorDeps,
  directory: string,
  { operation, settings }: Step,
  slot: NetworkSlot | undefined,
): OciMount[] {
  const { address, gateway } = slot?.status ?? {}
  const more = settings.more ?? {}
  const { dns = [], dnsSearch = [], dnsOptions = [], ownResolvConf, ownHosts, hostname } = more
  const isOurNetwork = slot === undefined && more.netns === undefined
  const kind = isOurNetwork ? "host" : "bridge"
  // there is one only where names are allowed: it lets their addresses through
  const resolvers = slot?.status.nameServer === undefined ? [] : [slot.status.nameServer]
  const texts = [
    ...(ownResolvConf
      ? []
      : [["/etc/resolv.conf", files.resolvConf({ kind, dns, dnsSearch, dnsOptions, resolvers })] as const]),
    ...(ownHosts ? [] : [["/etc/hosts", hosts()] as const]),
  ]
  return texts.map(([destination, text], index) => {
    const source = join(directory, `etc-${index}`)
    writeFileSync(source, text, { mode: 0o644 })
    return { destination, type: "bind", source, options: ["rbind", "ro", "rprivate"] }
  })

  function hosts(): string {
    return files.hosts({
      hostname: hostname ?? BUILD_HOSTNAME,
      address,
      gateway,
      extraHosts: settings.extraHosts,
      hostNetwork: operation.network !== "none" && isOurNetwork,
    })
  }
}

const asPoint = ({ destination }: OciMount) => ({ target: destination, type: "file" }) as const

interface ConfigParts {
  id: string
  step: Step
  user: ResolvedUser
  slot: NetworkSlot | undefined
  isolation: Isolation
  prepared: PreparedMounts
  files: readonly OciMount[]
  runtimes: Runtimes
  runtime: Runtime
}

function stepConfig(parts: ConfigParts): Promise<OciConfig> {
  const { id, step, user, slot, isolation, prepared, files, runtimes, runtime } = parts
  const { operation, settings } = step
  const more = settings.more ?? {}
  const { capAdd = [], capDrop = [], securityOptions = [], devices = [] } = more
  const own = new Set(prepared.mounts.map(({ destination }) => destination))
  return runtimes.config(
    {
      id,
      rootfs: step.root,
      readOnly: false,
      argv: operation.argv,
      env: environment(operation, prepared, settings, user),
      cwd: operation.cwd,
      user,
      tty: more.streams?.terminal ?? false,
      consoleSize: more.streams?.size,
      hostname: more.uts === "host" ? undefined : (more.hostname ?? BUILD_HOSTNAME),
      mounts: [...files.filter(({ destination }) => !own.has(destination)), ...prepared.mounts],
      network: networkOf(operation, isolation, slot, more.netns),
      ipc: more.ipc,
      pid: more.pid,
      uts: more.uts,
      shmSizeBytes: settings.shmSizeBytes,
      privileged: operation.security === "insecure",
      capAdd,
      capDrop,
      securityOptions,
      sysctls: {},
      devices,
      ulimits: settings.ulimits,
      resources: settings.resources,
    },
    runtime,
  )
}

function networkOf(
  { network }: RunOperation,
  { level }: Isolation,
  slot: NetworkSlot | undefined,
  netns: string | undefined,
): { kind: "private" | "host" } | { kind: "path"; path: string } {
  const path = netns ?? slot?.path
  if (path !== undefined) return { kind: "path", path }
  return { kind: network === "host" || (network === "default" && level !== "full") ? "host" : "private" }
}

/** The step's own words, then what its mounts and the request add where it says nothing. The host's never (CVE-2021-3602). */
function environment(
  operation: RunOperation,
  prepared: PreparedMounts,
  { proxy = [] }: RunSettings,
  { home }: ResolvedUser,
): string[] {
  const env = [...operation.env.filter((entry) => entry.indexOf("=") > 0), ...prepared.env]
  const names = new Set(env.map(nameOf))
  const more = [...proxy, `PATH=${DEFAULT_PATH}`, `HOME=${home}`].filter((entry) => !names.has(nameOf(entry)))
  return [...env, ...more]
}

const nameOf = (entry: string): string => entry.slice(0, entry.indexOf("="))

function stepFailure({ argv }: RunOperation, code: number): FailedPrecondition {
  return new FailedPrecondition(`process "${argv.join(" ")}" did not complete successfully: exit code: ${code}`, {
    data: { programExit: code },
    hint: code === 137 ? "it was killed by a signal, or because memory ran out" : undefined,
  })
}
