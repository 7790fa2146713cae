/** Removes a store with all that it holds and all that it made of the host. */
import { readdirSync, rmdirSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { FailedPrecondition, hasErrno } from "../base/errors.ts"
import { namesIn } from "../base/names-in.ts"
import { runAll } from "../base/run-all.ts"
import type { WorkingContainers } from "../builder/builder.ts"
import type { Containers } from "../container/container.ts"
import type { Pods } from "../pod/pod.ts"
import type { Sandboxes } from "../sandbox/sandbox.ts"
import type { Images } from "../image/image.ts"
import type { KubeObjects } from "../kube/kube.ts"
import { DEFAULT_NETWORK, type Networks } from "../network/network.ts"
import { detectCgroups, removeCgroup, removeOwnParents } from "../sys/process/cgroup.ts"
import { mountPointsBelow, unmount } from "../sys/fs/mount.ts"
import { rootlessUid, type StorePaths } from "../sys/fs/paths.ts"
import { removeTree } from "../sys/fs/remove-tree.ts"
import { processStartTime, signalProcess, type Pid, type StartTime } from "../sys/process/process.ts"
import { childrenOf, storeUsers } from "../sys/process/store-users.ts"
import { pauseProcessLives, recordedNamespaces } from "../sys/rootless/namespaces.ts"
import type { Volumes } from "../volume/volume.ts"
import type { StoreContents } from "./engine.ts"

/** What a reset removes by, each domain what is its own. */
export interface ResetDeps {
  paths: StorePaths
  pods: Pods
  sandboxes: Sandboxes
  containers: Containers
  workingContainers: WorkingContainers
  images: Images
  volumes: Volumes
  networks: Networks
  kubeObjects: KubeObjects
}

const SIGKILL = 9
const POLL_MS = 20
/** Monitors of removed containers end by themselves, as do commands that only waited for one. */
const QUIET_MS = 10_000

/** What a reset would remove. */
export async function storeContents(deps: ResetDeps): Promise<StoreContents> {
  const containers = deps.containers.list({ all: true })
  return {
    ...deps.paths,
    isDamaged: false,
    containers: containers.length,
    running: containers.filter(({ state }) => state.status === "running" || state.status === "paused").length,
    workingContainers: deps.workingContainers.list().length,
    images: deps.images.list().length,
    volumes: deps.volumes.list().map(({ name }) => name),
    networks: deps.networks
      .list()
      .filter(({ name, driver }) => name !== DEFAULT_NETWORK && driver !== "cni")
      .map(({ name }) => name),
  }
}

/**
 * Containers first, by their own teardown; then what the kernel has; then the files; an ordinary user's namespaces last. Killed
 * in the middle, it is repeated. Throws FailedPrecondition when another skiff is at work on the store: nothing but containers
 * is gone then.
 */
export async function resetStore(deps: ResetDeps): Promise<void> {
  const { paths, pods, sandboxes, containers, workingContainers, networks, kubeObjects } = deps
  // first: whoever keeps pods true would make again what is removed here
  kubeObjects.clear()
  for (const { id } of await pods.list()) await pods.remove(id, { force: true })
  await runAll("removing the containers", [
    ...containers.list({ all: true }).map(
      ({ id }) =>
        () =>
          containers.remove(id, { force: true, volumes: true }),
    ),
    ...workingContainers.list().map(
      ({ id }) =>
        () =>
          workingContainers.remove(id),
    ),
  ])
  // the first process of a pid namespace is nobody's child
  for (const { id } of sandboxes.list()) await sandboxes.remove(id)
  await untilAlone(paths)
  await networks.removeAll()
  const namespaces = rootlessUid() === undefined ? undefined : recordedNamespaces(paths.runRoot)
  await runAll("removing the store", [
    // of containers that no record knows
    ...namesIn(join(paths.runRoot, "containers")).map((id) => () => removeCgroup(id, detectCgroups())),
    ...[paths.root, paths.runRoot].flatMap(mountPointsBelow).map((path) => () => unmount(path)),
    ...[paths.root, paths.runRoot].map((path) => () => removeDirectory(path)),
    () => removeLoginSubstitute(paths.runRoot),
    removeOwnParents,
  ])
  // we are inside of its namespaces, and stay there to our own end
  if (namespaces !== undefined && pauseProcessLives(namespaces))
    signalProcess(namespaces.pausePid as Pid, namespaces.pauseStartTime as StartTime, SIGKILL)
}

/**
 * For a store whose records cannot be read: ends what its monitors watch, and makes room for new records. All else is found on
 * disk and in the kernel. Safe to repeat.
 */
export function giveUpRecords(paths: StorePaths): void {
  for (const { pid } of storeUsers(paths).filter(({ isMonitor }) => isMonitor))
    for (const child of childrenOf(pid)) {
      const startTime = processStartTime(child)
      if (startTime !== undefined) signalProcess(child as Pid, startTime, SIGKILL)
    }
  for (const end of ["", "-wal", "-shm"]) rmSync(join(paths.root, `skiff.db${end}`), { force: true })
}

async function untilAlone(paths: StorePaths): Promise<void> {
  for (const deadline = Date.now() + QUIET_MS; ; await sleep(POLL_MS)) {
    const [other] = storeUsers(paths)
    if (other === undefined) return
    if (Date.now() > deadline)
      throw new FailedPrecondition(
        `another skiff is at work on ${paths.root}: process ${other.pid} (${other.command})`,
        {
          hint: "the containers are removed; end that process, then repeat the reset",
        },
      )
  }
}

/** A store on a file system of its own, or at the end of a link, leaves the empty directory. */
async function removeDirectory(path: string): Promise<void> {
  for (const name of readdirSync(path)) await removeTree(join(path, name))
  try {
    rmdirSync(path)
  } catch (error) {
    if (!hasErrno(error, "EBUSY", "EACCES", "EPERM", "EROFS")) throw error
  }
}

/** Without a login's directory, the run root lies in one of ours in /tmp. */
function removeLoginSubstitute(runRoot: string): void {
  const uid = rootlessUid()
  if (uid === undefined || dirname(runRoot) !== `/tmp/skiff-run-${uid}`) return
  try {
    rmdirSync(dirname(runRoot))
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "ENOTEMPTY")) throw error
  }
}
