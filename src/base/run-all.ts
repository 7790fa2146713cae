/** One step of an undo. It must be safe to repeat. */
export type Step = () => unknown

/**
 * Runs every step in order, whatever fails, and throws what failed together as an AggregateError named `what`.
 * For teardowns: the first failure must not leave the rest behind.
 */
export async function runAll(what: string, steps: readonly Step[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new AggregateError(failures, `${what}: ${failures.length} steps failed`)
}
