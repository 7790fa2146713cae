import { rmdirSync, rmSync } from "node:fs"
import { crashPoint } from "../base/crash-point.ts"
import { hasErrno } from "../base/errors.ts"
import { runAll } from "../base/run-all.ts"
import { trace } from "../base/trace.ts"
import { takeTurns, turn } from "../base/turn.ts"
import { removeSharedDirectory } from "../sys/fs/remove-shared-directory.ts"
import { unmountAll } from "../sys/fs/mount.ts"
import { killMembers } from "../sys/process/kill-members.ts"
import { leaveNetworks } from "./attachments.ts"
import { runtimeOf, closeTimeNamespace } from "./time-namespace.ts"
import type { ContainerDeps } from "./deps.ts"
import { filesDirectory } from "./container-files.ts"
import { releaseVolumes } from "./oci-mounts.ts"
import { removeStaged, unmountStaged } from "./mounts/stage.ts"
import { secretsDirectory } from "./secrets.ts"
import { hideVolumes } from "./userns/hide-volumes.ts"
import { unmountReachable } from "./userns/reachable-root.ts"
import { exitFile, runDirectory, shmDirectory } from "./paths.ts"
import { meterEnd, unpinNetwork } from "./metering.ts"
import type { ContainerRecord } from "./record.ts"

/**
 * Takes back all that the kernel and the run directory hold of a container: runtime state, cgroup, address, ports, mount,
 * files. What still runs of it is killed. Every step runs, whatever fails, and is safe to repeat.
 */
export async function teardown(deps: ContainerDeps, record: ContainerRecord): Promise<void> {
  using _ = takeTurns()
  const runtimes = await deps.runtimes()
  const runtime = await runtimeOf(deps, record)
  await turn()
  await meterEnd(deps, record)
  trace("metered")
  crashPoint("end:metered")
  // of an interrupted start, it may be about to create what we take back; of an end, it would only call us once more.
  // A restart is left to it
  if (record.status !== "restarting") runtimes.endMonitor(record.id)
  // the slowest step is another process's work: ours is done meanwhile
  const deletion = runtime.delete(record.id, { force: true })
  deletion.catch(() => {})
  await runAll(`clean-up of container "${record.name}"`, [
    () => endExecs(deps, record.id),
    () => killLeft(deps, record),
    turn,
    () => leaveNetworks(deps, record),
    () => crashPoint("end:network-torn-down"),
    turn,
    () => unmountRunDirectory(deps, record.id),
    () => removeStaged(deps, record),
    () => releaseVolumes(deps, record),
    () => deletion,
    () => closeTimeNamespace(deps, record.id),
    () => crashPoint("end:runtime-deleted"),
    () => removeRunDirectory(deps, record.id, { keepExitFile: isAwaited(record) }),
  ])
}

/** What writes them down loads where there is one. */
async function endExecs(deps: ContainerDeps, id: string): Promise<void> {
  if (deps.execs.running(id).length > 0) await (await import("./execs.ts")).endExecs(deps, id)
}

/** The end of a first process ends all in its pid namespace; of a shared one the others stay, and are this container's all the same. */
function killLeft(deps: ContainerDeps, { id, state: { mountNamespace, bootId } }: ContainerRecord): void {
  if (mountNamespace === undefined || bootId !== deps.bootId) return
  killMembers({ mountNamespace, rootfs: `${runDirectory(deps, id)}/rootfs` })
}

/** With `--rm` the row goes at once: who waits for the code has the monitor's file only. */
function isAwaited({ state, spec }: ContainerRecord): boolean {
  return spec.options.autoRemove && state.awaited === true
}

/** All that a run has mounted below its run directory. Safe to repeat. */
export function unmountRunDirectory(deps: Pick<ContainerDeps, "runRoot">, id: string): void {
  unpinNetwork(deps, id)
  unmountAll(filesDirectory(deps, id))
  unmountAll(secretsDirectory(deps, id))
  unmountAll(shmDirectory(deps, id))
  unmountAll(`${runDirectory(deps, id)}/layers`)
  hideVolumes(deps, id)
  unmountStaged(deps, id)
  unmountReachable(deps, id)
  unmountAll(`${runDirectory(deps, id)}/rootfs`)
  crashPoint("end:unmounted")
}

/** rmdir first, and not rm -r: it must fail while anything is mounted there, or the container's files would go too. */
export function removeRunDirectory(
  deps: Pick<ContainerDeps, "runRoot">,
  id: string,
  { keepExitFile = false }: { keepExitFile?: boolean } = {},
): void {
  const directory = runDirectory(deps, id)
  try {
    rmdirSync(`${directory}/rootfs`)
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
  }
  removeSharedDirectory(directory)
  if (!keepExitFile) rmSync(exitFile(deps, id), { force: true })
  crashPoint("end:run-directory-removed")
}
