/** Runs `work` when its turn comes; `onWait` is told when that is not at once. */
export type Limit = <T>(work: () => Promise<T>, onWait?: () => void) => Promise<T>

/** Lets at most `count` pieces of work run at once, in the order they came. */
export function limiter(count: number): Limit {
  let running = 0
  const queue: (() => void)[] = []
  return async (work, onWait) => {
    if (running >= count) {
      onWait?.()
      await new Promise<void>((resolve) => queue.push(resolve))
    } else running++
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next) next()
      else running--
    }
  }
}
