import { expect, test } from "bun:test"
import { bytesToKeep } from "./prune-cache.ts"

test.each([
  [{}, 0],
  [{ reservedBytes: 30 }, 30],
  [{ maxUsedBytes: 50 }, 50],
  [{ maxUsedBytes: 50, reservedBytes: 60 }, 60],
  // 20 are free: 15 more are wanted
  [{ minFreeBytes: 35 }, 85],
  [{ minFreeBytes: 10 }, 100],
  [{ minFreeBytes: 1000, reservedBytes: 5 }, 5],
  [{ minFreeBytes: 35, maxUsedBytes: 70 }, 70],
])("of a cache of 100 bytes, %j keeps %d", (options, kept) => {
  expect(bytesToKeep(options, 100, 20)).toBe(kept)
})
