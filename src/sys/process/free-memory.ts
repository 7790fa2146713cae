/**
 * Bytes that pass through this process lie in buffers, and those that are used up are only freed when the engine looks for
 * them, which it does late: it counts objects more than bytes. Told of what passes, this has it look now and then.
 */
const EVERY_BYTES = 8 * 1024 * 1024

let passed = 0

/** `bytes` have passed, in buffers that are no longer needed. A look costs about 3 ms. */
export function countPassed(bytes: number): void {
  passed += bytes
  if (passed < EVERY_BYTES) return
  passed = 0
  Bun.gc(true)
}

/**
 * For a process that stays, once the work of a while is done: what it took is given back. Costs some 50 ms; compiled code goes as well, as soon
 * as nothing runs, and is made anew by who calls it.
 */
export function freeMemory(): void {
  // pages that the collected objects leave half empty are given back by the shrinking alone
  Bun.gc(true)
  Bun.shrink()
}
