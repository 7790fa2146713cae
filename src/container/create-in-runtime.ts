import { crashPoint } from "../base/crash-point.ts"
import { NotFound } from "../base/errors.ts"
import { trace } from "../base/trace.ts"
import { turn } from "../base/turn.ts"
import type { BundlePaths, ConfigInput, Monitor, PendingMonitor, Runtime, Runtimes } from "../runtime/runtime.ts"
import type { OciConfig, OciMount } from "../spec/oci-runtime.ts"
import { hasDirectoryInRoot, makeDirectoryInRoot } from "../sys/fs/confined-mkdir.ts"
import { type ResolvedUser, resolveUser } from "../sys/fs/image-users.ts"
import { warmUpNetworks } from "./attachments.ts"
import type { RestoreCreate } from "./checkpoint/restore-create.ts"
import { writeContainerFiles } from "./container-files.ts"
import type { Abortable, ResolvedOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { findInit } from "./init.ts"
import { limitsInput, NO_WEIGHTS, weighBlockIo } from "./limits.ts"
import { sharedWith } from "./namespaces.ts"
import { runtimeNetwork } from "./network-mode.ts"
import { stageMounts } from "./mounts/stage.ts"
import { fillVolumes, ociMounts } from "./oci-mounts.ts"
import { DEFAULT_PIDS_LIMIT } from "./options.ts"
import type { ContainerRecord } from "./record.ts"
import type { UserNamespace } from "./userns/user-namespace.ts"
import { rootMount } from "./root-mount.ts"
import { readySandbox, sharedNamespaces, sharedShm, shares, sharesIpc } from "./sandbox.ts"
import { secretMounts, secretTargets, secretVariables } from "./secrets.ts"
import { warmUpMetering } from "./metering.ts"
import { markHooks, securityInput } from "./security.ts"
import { mountShm } from "./shared-memory.ts"

/** Everything up to the runtime's `create`: after it the namespaces are there, and the program waits. */
export async function createInRuntime(
  deps: ContainerDeps,
  record: ContainerRecord,
  given: Abortable & {
    runtimes: Runtimes
    runtime: Runtime
    bundle: BundlePaths
    pending: PendingMonitor
    restore?: Pick<RestoreCreate, "joinNetworks"> | undefined
  },
): Promise<{ monitor: Monitor; targets: readonly string[]; config: OciConfig }> {
  const { runtimes, runtime } = given
  const input = await configInput(deps, record, given)
  const config = await runtimes.config(input, runtime)
  await turn()
  await markHooks(deps, record, config)
  crashPoint("start:bundle-made")
  trace("bundle made")
  const monitor = await createdBy(deps, record, config, given)
  runtimes.keepCompiled(record.id)
  await weighBlockIo(runtimes, record)
  crashPoint("start:monitor-created")
  trace("monitor created the container")
  const hasMounts = record.spec.mounts.length + secretTargets(record).length > 0
  return { monitor, config, targets: hasMounts ? targetsOf(config) : [] }
}

/** What `config.json` is made of. Files, secrets and volumes are there by then, and the sandbox is ready. */
async function configInput(
  deps: ContainerDeps,
  record: ContainerRecord,
  given: Abortable & { runtime: Runtime; bundle: BundlePaths },
): Promise<ConfigInput> {
  const { runtime, bundle } = given
  const { id, spec } = record
  const { options, run } = spec
  const { ids, user, userNamespace, rootfs, mounts } = await prepareFiles(deps, record, given)
  const network = runtimeNetwork(deps, options.network)
  const shared = sharedWith(deps, record)
  const sandbox = await readySandbox(deps, record, given)
  if (sandbox && shares(sandbox, "network"))
    record.state.sandboxAttachments = sandbox.endpoints.map((endpoint, index) => {
      const { aliases } = sandbox.options.networks[index] ?? {}
      return { network: endpoint.network, ...(aliases && { aliases }), endpoint }
    })
  const files = writeContainerFiles(deps, record, sandbox?.endpoints ?? [])
  const secrets = secretMounts(deps, record)
  const identity = hasIdentity(options) ? await import("./identity/enter.ts") : undefined
  files.push(
    ...(identity?.identityFiles(deps, record, { rootfs: bundle.rootfs, user, keptUid: ids?.keptUid(record) }) ?? []),
  )
  if (userNamespace !== undefined) ids?.giveFiles(deps, record, userNamespace)
  crashPoint("start:files-written")
  return {
    id,
    rootfs,
    readOnly: options.readOnly,
    argv: [...run.entrypoint, ...run.command],
    env: [...run.env, ...homeOf(record, user), ...secretVariables(deps, record)],
    cwd: run.workdir,
    user,
    tty: options.tty,
    consoleSize: options.consoleSize,
    hostname: run.hostname,
    domainname: options.domainname,
    mounts: [
      ...files,
      ...(identity?.identityMounts(record) ?? []),
      ...(sandbox === undefined || !sharesIpc(sandbox, options) ? mountShm(deps, record) : sharedShm(sandbox)),
      ...mounts,
      ...secrets,
    ],
    network,
    ...(sandbox && sharedNamespaces(sandbox, options)),
    ...shared,
    ...ids?.runtimeUser(userNamespace),
    shm: options.namespaces?.ipc?.kind !== "none",
    shmSizeBytes: options.shmSizeBytes,
    privileged: options.privileged,
    capAdd: options.capAdd,
    capDrop: options.capDrop,
    securityOptions: options.securityOptions,
    sysctls: options.sysctls,
    devices: options.devices,
    ...securityInput(record),
    ulimits: options.ulimits,
    resources: { pidsLimitWherePossible: DEFAULT_PIDS_LIMIT, ...options.resources, ...NO_WEIGHTS },
    ...limitsInput(options.limits),
    ...identity?.identityInput(record, runtime),
    initPath: options.init ? findInit(options.process?.initPath) : undefined,
  }
}

/** By the runtime's `create`, or its `restore`. */
async function createdBy(
  deps: ContainerDeps,
  record: ContainerRecord,
  config: OciConfig,
  given: Pick<RestoreCreate, "runtimes" | "bundle" | "pending"> & {
    restore?: Pick<RestoreCreate, "joinNetworks"> | undefined
  },
): Promise<Monitor> {
  if (given.restore !== undefined) {
    const { restoreContainer } = await import("./checkpoint/restore-create.ts")
    return await restoreContainer({ ...given, ...given.restore, config })
  }
  const creation = given.pending.create(config)
  warmUpNetworks(deps, record)
  warmUpMetering(deps, record)
  return await creation
}

/**
 * Root and volumes as the container shall see them. What the engine does to the files it does first, as its own root; a container
 * with ids of its own is shown them by these.
 */
async function prepareFiles(
  deps: ContainerDeps,
  record: ContainerRecord,
  { bundle, runtime, abort }: Abortable & { bundle: BundlePaths; runtime: Runtime },
) {
  const { options, run } = record.spec
  const ids = options.userNamespace === undefined ? undefined : await import("./userns/enter.ts")
  const user = resolveUser(bundle.rootfs, ids?.userOf(record) ?? run.user, options.groupAdd, {
    listed: options.imageGroups,
  })
  makeWorkdir(record, bundle.rootfs)
  const mounts = await ociMounts(deps, record, { signal: abort })
  const fill = (owner = user): Promise<void> => fillVolumes(deps, record, bundle.rootfs, { abort, owner })
  if (ids === undefined) {
    await fill()
    const staged = await stageMounts(deps, record, mounts)
    return { user, mounts: await owned(deps, record, staged, { user, abort }), rootfs: bundle.rootfs }
  }
  if (!ids.fillsMapped()) await fill()
  const userNamespace = await ids.userNamespaceOf(deps, record, { rootfs: bundle.rootfs, user, runtime })
  const rootfs =
    userNamespace === undefined
      ? bundle.rootfs
      : await ids.showRoot(deps, record, { bundle, mount: () => rootMount(deps, record), userNamespace, runtime })
  if (ids.fillsMapped()) await fill(userNamespace && ids.userOutside(user, userNamespace))
  const staged = await owned(deps, record, await stageMounts(deps, record, mounts), { user, userNamespace, abort })
  const shown = userNamespace && (await ids.showVolumes(deps, record, staged, userNamespace))
  return { ids, user, userNamespace, rootfs, mounts: shown ?? staged }
}

/** Throws NotFound where one that was asked for must be there and is not; a mount brings its own. */
function makeWorkdir({ id, spec: { options, run, mounts } }: ContainerRecord, rootfs: string): void {
  if (run.workdir === "/") return
  const mustBe = options.process?.existingWorkdir === true && options.workdir !== undefined
  if (!mustBe) return makeDirectoryInRoot(rootfs, run.workdir)
  if (mounts.some(({ target }) => `${run.workdir}/`.startsWith(`${target}/`))) return
  if (!hasDirectoryInRoot(rootfs, run.workdir))
    throw new NotFound(`workdir "${run.workdir}" does not exist on container ${id}`, {
      field: "workdir",
      data: { object: "workdir", name: run.workdir },
    })
}

/** The mounts whose files are to be the program's are, or are shown so. */
async function owned(
  deps: ContainerDeps,
  record: ContainerRecord,
  mounts: OciMount[],
  { user, userNamespace, abort }: Abortable & { user: ResolvedUser; userNamespace?: UserNamespace | undefined },
): Promise<OciMount[]> {
  if (!record.spec.mounts.some(({ chown, idMap }) => chown === true || idMap !== undefined)) return mounts
  const { ownMounts } = await import("./ownership/own-mounts.ts")
  return await ownMounts(deps, record, mounts, { user, userNamespace, abort })
}

function hasIdentity({ accounts, etc, process, tree, annotations, userNamespace }: ResolvedOptions): boolean {
  return [accounts, etc, process, tree, annotations, userNamespace].some((one) => one !== undefined)
}

/** The user's own, unless image or options say another, or want none. */
function homeOf({ spec: { run, options } }: ContainerRecord, { home }: ResolvedUser): string[] {
  const { unsetAll = false, unset = [] } = options.environment ?? {}
  const isGiven = run.env.some((entry) => entry.startsWith("HOME="))
  return isGiven || unsetAll || unset.includes("HOME") ? [] : [`HOME=${home}`]
}

/** Of binds and tmpfs; the kernel's own file systems a runtime may leave out, or have in another form. */
function targetsOf({ mounts }: OciConfig): string[] {
  return mounts.flatMap(({ type, destination }) => (type === "bind" || type === "tmpfs" ? [destination] : []))
}
