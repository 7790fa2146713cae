import { readFileSync, rmSync } from "node:fs"
import { posix } from "node:path"
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition, InvalidArgument, NotFound } from "../base/errors.ts"
import type { OnProgress } from "../base/progress.ts"
import { trace } from "../base/trace.ts"
import { takeTurns, turn } from "../base/turn.ts"
import type { Image, Images, PullOptions } from "../image/image.ts"
import type { Digest } from "../spec/digest.ts"
import type { MountRequest } from "../spec/docker/mount-request.ts"
import { formatPlatform, parsePlatform } from "../spec/platform.ts"
import type { Abortable, ContainerOptions, NetworkAttachment, MountPoint, ResolvedOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { initialAttachments } from "./attachments.ts"
import { containerEvent } from "./events.ts"
import { newContainerId } from "./id.ts"
import { wakeCgroupLock } from "../sys/process/cgroup-lock.ts"
import type { HeldLock } from "../sys/fs/file-locks.ts"
import { checkLimitOptions, checkNetworkLimits, checkResources } from "./limits.ts"
import { checkLogOptions, logPathFor } from "./log-driver.ts"
import { mountPoints } from "./mount-points.ts"
import { mountsFrom } from "./volumes-from.ts"
import { makeVolumes } from "./oci-mounts.ts"
import { parseContainerName } from "./name.ts"
import { checkIdentityOptions } from "./identity/check.ts"
import { resolveOptions } from "./options.ts"
import { withNetworks } from "./requested-networks.ts"
import { joinedContainer } from "./network-mode.ts"
import { joinedById } from "./namespaces.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import { stateDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { destroy } from "./remove.ts"
import { inSandbox, sandboxHostname } from "./sandbox.ts"
import { keepSecrets, resolveSecrets } from "./secrets.ts"
import { runParameters } from "./run-parameters.ts"

/** A new container, under its lock. */
export interface Created {
  record: ContainerRecord
  /** Held for the caller, who starts the container or lets go. */
  lock: HeldLock
  warnings: string[]
}

/**
 * Checks every option, finds or pulls the image, writes the record, makes the writable layer. The id's lock is taken
 * before anything is made of it, so that no sweep of another process takes it for a leftover. `willStart`: the record says
 * from its first moment that a start is under way, so that one which is killed is undone (with `--rm`: removed).
 */
export async function createContainer(
  deps: ContainerDeps,
  asked: ContainerOptions,
  { willStart, onProgress, abort }: Abortable & { willStart: boolean; onProgress?: OnProgress },
): Promise<Created> {
  if (willStart) wakeCgroupLock()
  using _ = takeTurns()
  await turn()
  const { registry, givenFiles, ...wanted } = asked
  const named = joinedById(deps, await inSandbox(deps, withRequired(deps, resolveOptions(wanted))))
  let options = await withNetworks(deps, named)
  const name = options.name === undefined ? undefined : parseContainerName(options.name)
  const joined = joinedContainer(deps, options.network)
  checkOptions(options, joined)
  await checkResources(deps, options)
  const images = await deps.images()
  const { image, imageName } = await resolveRoot(images, options, { ...registry, onProgress, signal: abort })
  if (image !== undefined) {
    await deps.admit?.(image, options)
    images.used(image)
  }
  trace("image resolved")
  const id = newContainerId()
  const config = image && (await images.config(image))
  // who joins a network goes by the name of its owner
  const inherited = await sandboxHostname(deps, options)
  const hostname = inherited ?? options.hostname ?? joined?.spec.run.hostname ?? sharedHostname(deps, options)
  let run = runParameters(id, config?.config ?? {}, { ...options, hostname })
  if (options.network.kind === "pasta")
    ({ options, run } = await (await import("./pasta-mode.ts")).planPasta(deps, options, run))
  const runtime = await (await deps.runtimes()).choose(options.runtime)
  const logPath = logPathFor(stateDirectory(deps, id), options.log)
  const mounts = await decidedMounts(deps, options, run.volumes)
  const spec = {
    imageName,
    topLayer: image?.topLayer,
    options: { ...options, userNamespace: await ownIds(options, run.user, mounts) },
    run,
    mounts,
    secrets: await resolveSecrets(deps, options, givenFiles),
    runtime: options.runtime ?? runtime.name,
    ...(logPath === undefined ? {} : { logPath }),
  }
  await turn()
  const lock = await deps.locks.acquire(id)
  crashPoint("create:locked")
  try {
    const attachments = initialAttachments(options)
    const lease = await leaseOf(deps, id, attachments)
    // before the record: one that is killed here leaves no container whose secrets are missing
    await keepSecrets(deps, id, spec.secrets, givenFiles)
    await deps.records.whenFree(abort)
    const record = deps.records.insert(
      {
        id,
        name,
        imageId: image?.id ?? NO_IMAGE,
        status: willStart ? "starting" : "created",
        live: willStart,
        createdAt: Date.now(),
        spec,
        state: { restartCount: 0, bootId: deps.bootId, attachments },
      },
      () => {
        if (image) images.get(image.id) // removed meanwhile: NotFound
        lease()
      },
      (created) => containerEvent(created, "create"),
    )
    crashPoint("create:recorded")
    trace("record written")
    await provision(deps, record)
    return { record, lock, warnings: [] }
  } catch (error) {
    if (spec.secrets !== undefined) rmSync(stateDirectory(deps, id), { recursive: true, force: true })
    lock.unlink()
    lock[Symbol.dispose]()
    throw error
  }
}

/** Most ask for no address of their own, and need none of the code. */
async function leaseOf(
  deps: ContainerDeps,
  id: string,
  attachments: readonly NetworkAttachment[],
): Promise<() => void> {
  if (attachments.every(({ address, address6 }) => address === undefined && address6 === undefined)) return () => {}
  return (await import("./lease-addresses.ts")).leasing(deps, id, attachments)
}

/** What it requires, by ids: a name may be another container's later. Throws NotFound. */
function withRequired({ records }: ContainerDeps, options: ResolvedOptions): ResolvedOptions {
  const { requires } = options
  return requires === undefined ? options : { ...options, requires: requires.map((name) => records.get(name).id) }
}

/** Volumes and the writable layer; when they cannot be made, the record goes again. */
async function provision(deps: ContainerDeps, record: ContainerRecord): Promise<void> {
  const { options, topLayer, mounts } = record.spec
  try {
    await makeVolumes(deps, mounts)
    crashPoint("create:volumes-made")
    const snapshots = await deps.snapshots()
    await snapshots.prepare(record.id, topLayer, { volatile: options.autoRemove })
    crashPoint("create:snapshot-prepared")
    trace("writable layer made")
  } catch (error) {
    await destroy(deps, { ...record, live: false }, { volumes: true })
    throw error
  }
}

/** What needs neither image nor kernel. Throws InvalidArgument. */
function checkOptions(options: ResolvedOptions, joined: ContainerRecord | undefined): void {
  checkLogOptions(options)
  checkLimitOptions(options.limits)
  checkNetworkLimits(options)
  checkIdentityOptions(options)
  const { autoRemove, restart } = options
  if (autoRemove && restart.name !== "no")
    throw new InvalidArgument("can't create 'AutoRemove' container with restart policy", {
      field: "restart",
      hint: { do: "omit", field: "autoRemove" },
    })
  if (joined) {
    if (joined.spec.options.network.kind === "container")
      throw new InvalidArgument(`cannot join the network of "${joined.name}", which joins another's`)
    const refused = [
      ["hostname", "hostname", options.hostname !== undefined],
      ["port publishing", "ports", options.ports.length > 0 || options.publishAll],
      ["dns", "dns", options.dns.length > 0],
      ["custom host-to-IP mapping", "extraHosts", options.extraHosts.length > 0],
    ] as const
    for (const [what, field, isGiven] of refused)
      if (isGiven)
        throw new InvalidArgument(`conflicting options: ${what} and the container type network mode`, {
          field,
          hint: `give it to the container whose network is joined: "${joined.name}"`,
        })
  }
}

/** A directory of the host is no image's. */
const NO_IMAGE = "" as Digest

/** The image of a container, or the directory in its place. */
async function resolveRoot(
  images: Images,
  options: ResolvedOptions,
  pulling: PullOptions,
): Promise<{ image?: Image; imageName: string }> {
  const rootfs = options.tree?.rootfs
  if (rootfs === undefined) return resolveImage(images, options, pulling)
  const { checkRootfsOption } = await import("./identity/rootfs.ts")
  checkRootfsOption(rootfs)
  return { imageName: rootfs.path }
}

/** Every mount, with its image where it is of one. */
async function decidedMounts(
  deps: ContainerDeps,
  options: ResolvedOptions,
  imageVolumes: readonly string[],
): Promise<readonly MountPoint[]> {
  const mounts = mountPoints(withImageVolumes(deps, options, imageVolumes), volumesOf(options, imageVolumes))
  if (!mounts.some(({ type }) => type === "image")) return mounts
  return (await import("./mounts/image-mount.ts")).withImages(deps, mounts)
}

/** The image's volumes that become anonymous ones. */
function volumesOf({ tree }: ResolvedOptions, imageVolumes: readonly string[]): readonly string[] {
  return (tree?.imageVolumes ?? "anonymous") === "anonymous" ? imageVolumes : []
}

/** Which ids it has: an ordinary user's container may need others, so that its files are his. */
async function ownIds(
  options: ResolvedOptions,
  user: string,
  mounts: readonly MountPoint[],
): Promise<ResolvedOptions["userNamespace"]> {
  const needsLook =
    rootlessUid() !== undefined && mounts.some(({ type, idMap }) => type === "bind" || idMap !== undefined)
  return needsLook
    ? (await import("./ownership/as-caller.ts")).idsFor({ options, user, mounts })
    : options.userNamespace
}

/** The mounts, with those of the image's volumes that go with the container. */
function withImageVolumes(
  deps: ContainerDeps,
  { tree, mounts: own, volumesFrom = [] }: ResolvedOptions,
  imageVolumes: readonly string[],
): readonly MountRequest[] {
  const mounts = [...own, ...mountsFrom(deps, volumesFrom, own)]
  if (tree?.imageVolumes !== "tmpfs") return mounts
  const others = imageVolumes.filter(
    (path) => !mounts.some(({ target }) => posix.normalize(target) === posix.normalize(path)),
  )
  return [
    ...mounts,
    ...others.map((target): MountRequest => ({ type: "tmpfs", target, readOnly: false, options: ["exec"] })),
  ]
}

async function resolveImage(
  images: Images,
  options: ResolvedOptions,
  pulling: PullOptions,
): Promise<{ image: Image; imageName: string }> {
  const { image: name, pull } = options
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform)
  const local = pull === "always" ? undefined : images.find(name)
  const fits =
    local !== undefined &&
    (platform === undefined || formatPlatform(platform) === formatPlatform({ ...platform, ...local.platform }))
  if (local && fits) return { image: local, imageName: fullName(local, name) }
  if (local && pull === "never")
    throw new FailedPrecondition(`image "${name}" is of the platform ${formatPlatform(local.platform)}`, {
      hint: { do: "pull", image: name, platform: options.platform },
    })
  if (pull === "never")
    throw new NotFound(`no such image: "${name}"`, {
      hint: { do: "pull", image: name },
      data: { object: "image", name },
    })
  const result = await images.pull(name, { ...pulling, platform, isMissing: pull !== "always" })
  return { image: result.image, imageName: result.name }
}

/** Of who shares the uts namespace; with the host's network goes the host's name, as docker's. */
function sharedHostname(deps: ContainerDeps, { network, namespaces }: ResolvedOptions): string | undefined {
  const uts = namespaces?.uts
  if (uts?.kind === "container") return deps.records.get(uts.container).spec.run.hostname
  const isHosts = uts?.kind === "host" || network.kind === "host"
  return isHosts ? readFileSync("/proc/sys/kernel/hostname", "latin1").trim() : undefined
}

/** As typed when it was an id, else the recorded name. */
function fullName(image: Image, typed: string): string {
  return (
    image.tags.find((tag) => tag === typed || tag.endsWith(`/${typed}`) || tag.endsWith(`/${typed}:latest`)) ?? typed
  )
}
