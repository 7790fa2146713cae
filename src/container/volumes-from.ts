import { posix } from "node:path"
import type { MountRequest } from "../spec/docker/mount-request.ts"
import type { VolumesFrom } from "../spec/docker/volumes-from.ts"
import type { MountPoint } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"

/**
 * The mounts of other containers, as requests of this one: volumes by their names, so that an anonymous one stays when this container
 * is removed with its volumes. A tmpfs belongs to one container alone. Where two have the same target, the later one is taken; `own` goes
 * before all of them (docker's order). Throws NotFound.
 */
export function mountsFrom(
  { records }: Pick<ContainerDeps, "records">,
  sources: readonly VolumesFrom[],
  own: readonly MountRequest[],
): MountRequest[] {
  const taken = new Set(own.map(({ target }) => posix.normalize(target)))
  const byTarget = new Map<string, MountRequest>()
  for (const { container, readOnly } of sources)
    for (const point of records.get(container).spec.mounts) {
      const request = asRequest(point, readOnly ?? point.readOnly)
      if (request !== undefined && !taken.has(point.target)) byTarget.set(point.target, request)
    }
  return [...byTarget.values()]
}

function asRequest(point: MountPoint, readOnly: boolean): MountRequest | undefined {
  const { type, source, name, target, propagation, createSource = false, copyUp = false } = point
  const { options, recursion, overlay, chown, idMap, subpath } = point
  const shown = {
    ...(options && { options }),
    ...(recursion && { recursion }),
    ...(overlay && { overlay }),
    ...(chown && { chown }),
    ...(idMap !== undefined && { idMap }),
    ...(subpath !== undefined && { subpath }),
  }
  if (type === "bind")
    return { type, source, target, readOnly, createSource, ...(propagation && { propagation }), ...shown }
  if (type === "image") return { type, source, target, readOnly, ...(subpath !== undefined && { subpath }) }
  return type === "volume" && name !== undefined
    ? { type, source: name, target, readOnly, copyUp, ...shown }
    : undefined
}
