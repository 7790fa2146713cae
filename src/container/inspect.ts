import { readFileSync } from "node:fs"
import { processCapabilities } from "../sys/process/process-capabilities.ts"
import type { Container, ContainerDetails, MountPoint } from "./container.ts"
import { containerFilePaths } from "./container-files.ts"
import type { ContainerDeps } from "./deps.ts"
import { isRunning, observeExit, toContainer } from "./observe.ts"
import { stateDirectory } from "./paths.ts"
import { readHealth } from "./health/log-file.ts"
import { healthPlan } from "./health/plan.ts"
import type { ContainerRecord } from "./record.ts"

/** See `Containers.inspect`. */
export async function inspect(deps: ContainerDeps, nameOrId: string): Promise<ContainerDetails> {
  const record = deps.records.get(nameOrId)
  const { id, spec, state } = record
  const snapshots = await deps.snapshots()
  const image = (await deps.images()).find(record.imageId)
  const { config, pidFile, monitorPidFile } = (await deps.runtimes()).bundle(id)
  const container = toContainer(record, deps)
  const capabilities = "pid" in container.state ? processCapabilities(container.state.pid) : undefined
  return {
    ...container,
    ...(await endingBeforeCleanUp(deps, record, container)),
    paths: { state: stateDirectory(deps, id), config, pidFile, monitorPidFile },
    ...(capabilities === undefined ? {} : { capabilities }),
    run: spec.run,
    mounts: await withSources(deps, spec.mounts),
    secrets: spec.secrets ?? [],
    files: existingFiles(deps, record),
    ...idMapsOf(deps, record),
    storage: { driver: snapshots.driver, upperDirectory: upperDirectory(snapshots, id) },
    ...(image === undefined ? {} : { image: { platform: image.platform, manifest: image.manifest } }),
    ...healthLog(deps, record),
    runningExecs: deps.execs.running(id).map((exec) => exec.id),
    lastRun: {
      ...(state.startedAt === undefined ? {} : { startedAt: new Date(state.startedAt) }),
      ...(state.finishedAt === undefined ? {} : { finishedAt: new Date(state.finishedAt) }),
      ...(state.exitCode === undefined ? {} : { exitCode: state.exitCode }),
      ...(state.error === undefined ? {} : { error: state.error }),
      oomKilled: state.oomKilled ?? false,
    },
  }
}

/** Of one that has ended a moment ago: found out as the clean-up will, which writes it down. */
async function endingBeforeCleanUp(
  deps: ContainerDeps,
  record: ContainerRecord,
  { state, ending }: Container,
): Promise<Pick<Container, "ending">> {
  const isAhead = state.status === "exited" && (record.status === "running" || record.status === "paused")
  if (!isAhead || ending !== undefined) return {}
  const [{ whyEnded }, runtimes] = await Promise.all([import("./ended/why-ended.ts"), deps.runtimes()])
  return {
    ending: await whyEnded(
      deps,
      record,
      observeExit(record, deps),
      runtimes.usage(record.id, runtimes.bundle(record.id)),
    ),
  }
}

function healthLog(deps: ContainerDeps, record: ContainerRecord): Pick<ContainerDetails, "healthLog"> {
  const plan = healthPlan(record.spec)
  if (plan === undefined) return {}
  const { failingStreak, log } = readHealth(deps, record, plan)
  return { healthLog: { status: toContainer(record, deps).health ?? "starting", failingStreak, log } }
}

function upperDirectory(snapshots: { diffPath(key: string): string }, id: string): string {
  try {
    return snapshots.diffPath(id)
  } catch {
    return "" // killed in create, before it had a layer
  }
}

/** Of one that runs, as the kernel has them: `INSIDE:OUTSIDE:COUNT`. */
function idMapsOf(deps: ContainerDeps, record: ContainerRecord): Pick<ContainerDetails, "idMaps"> {
  const { pid } = record.state
  if (record.spec.options.userNamespace === undefined || pid === undefined || !isRunning(record, deps)) return {}
  return { idMaps: { uids: idMap(pid, "uid"), gids: idMap(pid, "gid") } }
}

function idMap(pid: number, kind: "uid" | "gid"): string[] {
  const text = readFileSync(`/proc/${pid}/${kind}_map`, "latin1").trim()
  return text.split("\n").map((line) => line.trim().split(/\s+/).join(":"))
}

/** A container that joins one which is gone has none. */
function existingFiles(deps: ContainerDeps, record: ContainerRecord): ContainerDetails["files"] {
  try {
    return containerFilePaths(deps, record)
  } catch {
    return { hosts: "", resolvConf: "", hostname: "" }
  }
}

async function withSources(deps: ContainerDeps, mounts: readonly MountPoint[]): Promise<MountPoint[]> {
  if (mounts.every(({ name }) => name === undefined)) return [...mounts]
  const volumes = await deps.volumes()
  return mounts.map((mount) =>
    mount.name === undefined ? mount : { ...mount, source: volumes.mountpoint(mount.name) },
  )
}
