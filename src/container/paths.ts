import { shortId } from "../base/short-id.ts"
import type { ContainerDeps } from "./deps.ts"

type Roots = Pick<ContainerDeps, "root" | "runRoot">

/** Volatile: bundle, sockets, the mounted root, the files bound over /etc. */
export function runDirectory({ runRoot }: Pick<Roots, "runRoot">, id: string): string {
  return `${runRoot}/containers/${id}`
}

/** The /dev/shm of a container that shares it. */
export function shmDirectory(roots: Pick<Roots, "runRoot">, id: string): string {
  return `${runDirectory(roots, id)}/shm`
}

/** What opens the time namespace of a container that has one of its own. */
export function timeNamespaceFile(roots: Pick<Roots, "runRoot">, id: string): string {
  return `${runDirectory(roots, id)}/time`
}

/** Volumes as a container of another user namespace sees them. */
export function mappedVolumesDirectory(roots: Pick<Roots, "runRoot">, id: string): string {
  return `${runDirectory(roots, id)}/volumes`
}

/** Mounts that no runtime can make by itself: parts of volumes, images, overlays. */
export function stagedDirectory(roots: Pick<Roots, "runRoot">, id: string): string {
  return `${runDirectory(roots, id)}/staged`
}

/** What is written to overlays of this run, where no directory was named for it. */
export function overlaysDirectory(roots: Pick<Roots, "root">, id: string): string {
  return `${stateDirectory(roots, id)}/overlays`
}

/** Of one exec: its sockets and its exit code. */
export function execDirectory(
  roots: Pick<Roots, "runRoot">,
  { id, containerId }: { id: string; containerId: string },
): string {
  // a unix socket's path has 108 bytes, and here it is the monitor that makes it short
  return `${runDirectory(roots, containerId)}/exec-${shortId(id)}`
}

/** The monitor writes the exit code there, as text. */
export function exitFile({ runRoot }: Pick<Roots, "runRoot">, id: string): string {
  return `${runRoot}/exits/${id}`
}

/** Survives reboots: the log. */
export function stateDirectory({ root }: Pick<Roots, "root">, id: string): string {
  return `${root}/containers/${id}`
}

/** Where `mount` shows the files of a container. */
export function mountDirectory({ runRoot }: Pick<Roots, "runRoot">, id: string): string {
  return `${runRoot}/mounts/${id}`
}
