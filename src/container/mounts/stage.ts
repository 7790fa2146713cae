/**
 * Mounts that are made beside the container's root before the runtime binds them into it: what a runtime cannot make by itself,
 * or cannot make of a hostile tree. They are of one run, and its teardown takes them away.
 */
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { crashPoint } from "../../base/crash-point.ts"
import { FailedPrecondition, hasErrno } from "../../base/errors.ts"
import type { OciMount } from "../../spec/oci-runtime.ts"
import { isMountPoint, makePrivate, MountFlag, mountAt, unmountAll } from "../../sys/fs/mount.ts"
import type { MountPoint } from "../container.ts"
import type { ContainerDeps } from "../deps.ts"
import { overlaysDirectory, stagedDirectory } from "../paths.ts"
import type { ContainerRecord } from "../record.ts"

/** Gives the mounts with the places of those that are staged. Whoever calls it has filled the volumes: an overlay sees no later change. */
export async function stageMounts(
  deps: ContainerDeps,
  record: ContainerRecord,
  mounts: readonly OciMount[],
): Promise<OciMount[]> {
  const sources = await stageSources(
    deps,
    record,
    mounts.map(({ source }) => source),
  )
  return mounts.map((mount, index) => (mount.source === sources[index] ? mount : { ...mount, source: sources[index] }))
}

/** The same of host paths alone, one for each of the container's mounts; what has none is passed over. */
export async function stageSources(
  deps: ContainerDeps,
  record: ContainerRecord,
  sources: readonly (string | undefined)[],
): Promise<(string | undefined)[]> {
  const staged = [...sources]
  for (const [index, point] of record.spec.mounts.entries()) {
    const source = sources[index]
    if (source === undefined || !isStaged(point)) continue
    staged[index] = await stage(deps, record, { index, point, source })
    crashPoint("mount:staged")
  }
  return staged
}

/** A runtime that is told of a bind without what is mounted below it may bind all of it all the same (crun does). */
function isStaged({ type, subpath, overlay, recursion }: MountPoint): boolean {
  return type === "image" || subpath !== undefined || overlay !== undefined || recursion === "none"
}

interface Staging {
  index: number
  point: MountPoint
  /** Host path of the volume or bind. */
  source: string
}

async function stage(deps: ContainerDeps, { id }: ContainerRecord, { index, point, source }: Staging): Promise<string> {
  let place = source
  if (point.type === "image") {
    place = stagedPlace(deps, id, `${index}-image`, true)
    const { mountImagePoint } = await import("./image-mount.ts")
    await mountImagePoint(deps, { key: imageKey(id, index), point, target: place })
  }
  if (point.subpath !== undefined) {
    const { openSubpath } = await import("./subpath.ts")
    using part = openSubpath(place, point)
    const target = stagedPlace(deps, id, `${index}-part`, part.isDirectory)
    bind(part.path, target, point)
    place = target
  } else if (point.recursion === "none") {
    const target = stagedPlace(deps, id, `${index}-alone`, statSync(place).isDirectory())
    bind(place, target, point)
    place = target
  }
  if (point.overlay !== undefined) {
    const target = stagedPlace(deps, id, `${index}-overlay`, true)
    const { mountOverlay } = await import("./overlay-mount.ts")
    const scratch = join(overlaysDirectory(deps, id), String(index))
    mountOverlay((await deps.snapshots()).driver, { lower: place, target, scratch, ...point.overlay })
    place = target
  }
  return place
}

/** Out of what it shares with the host, unless that was asked for. Throws FailedPrecondition where a user may not uncover what is below. */
function bind(source: string, target: string, { recursion, propagation, source: named }: MountPoint): void {
  const recursive = recursion === "none" ? 0 : MountFlag.recursive
  try {
    mountAt(target, { type: "none", source, data: [], flags: MountFlag.bind | recursive })
  } catch (cause) {
    if (recursive !== 0 || !hasErrno(cause, "EINVAL")) throw cause
    throw new FailedPrecondition(`"${named}" cannot be mounted without what is mounted below it`, {
      field: "mounts",
      hint: "mount_namespaces(7): an ordinary user may not see what the host has covered",
      cause,
    })
  }
  if (propagation === undefined) makePrivate(target)
}

/** The snapshot that an image of a container is mounted from. */
function imageKey(id: string, index: number): string {
  return `${id}-mount-${index}`
}

/** An empty place for a mount of the container's run, which its teardown takes away. */
export function stagedPlace(deps: ContainerDeps, id: string, name: string, isDirectory: boolean): string {
  const place = join(stagedDirectory(deps, id), name)
  mkdirSync(isDirectory ? place : stagedDirectory(deps, id), { recursive: true, mode: 0o700 })
  if (!isDirectory) writeFileSync(place, "", { mode: 0o600 })
  if (isMountPoint(place)) unmountAll(place) // of a start that was killed
  return place
}

/** Takes them away. Safe to repeat. */
export function unmountStaged(deps: Pick<ContainerDeps, "runRoot">, id: string): void {
  const directory = stagedDirectory(deps, id)
  if (!statSync(directory, { throwIfNoEntry: false })) return
  // the last that was made first: it may lie on one before it
  for (const name of readdirSync(directory).toReversed()) unmountAll(join(directory, name))
}

/** And what they kept on disk. They are unmounted by then. Safe to repeat. */
export async function removeStaged(deps: ContainerDeps, { id, spec }: ContainerRecord): Promise<void> {
  for (const [index, { type }] of spec.mounts.entries())
    if (type === "image") await (await deps.snapshots()).remove(imageKey(id, index))
  const overlays = overlaysDirectory(deps, id)
  if (!statSync(overlays, { throwIfNoEntry: false })) return
  const { removeTree } = await import("../../sys/fs/remove-tree.ts")
  await removeTree(overlays)
}
