import type { ContainerDeps } from "./deps.ts"

type Roots = Pick<ContainerDeps, "root" | "runRoot">

/** Volatile: bundle, sockets, the mounted root, the files bound over /etc. */
export function runDirectory({ runRoot }: Pick<Roots, "runRoot">, id: string): string {
  return `${runRoot}/containers/${id}`
}

/** The monitor writes the exit code there, as text. */
export function exitFile({ runRoot }: Pick<Roots, "runRoot">, id: string): string {
  return `${runRoot}/exits/${id}`
}

/** Survives reboots: the log. */
export function stateDirectory({ root }: Pick<Roots, "root">, id: string): string {
  return `${root}/containers/${id}`
}
