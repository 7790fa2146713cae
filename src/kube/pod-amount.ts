/** What of a container counts. */
interface Counted {
  restartPolicy?: string | undefined
}

/**
 * What a pod needs of something at once (KEP-753): its containers and sidecars together, or one that initialises with the sidecars that were started before it,
 * whichever is more. `of`: of one container. Pure.
 */
export function podAmount<T extends object>(
  { containers, initContainers }: { containers: readonly T[]; initContainers: readonly T[] },
  of: (container: T) => number,
): number {
  let [sidecars, peak] = [0, 0]
  for (const one of initContainers) {
    const own = of(one)
    if ((one as Counted).restartPolicy === "Always") sidecars += own
    peak = Math.max(peak, (one as Counted).restartPolicy === "Always" ? sidecars : sidecars + own)
  }
  return Math.max(peak, sidecars + containers.reduce((sum, one) => sum + of(one), 0))
}
