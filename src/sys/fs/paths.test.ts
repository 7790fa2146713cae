import { expect, test } from "bun:test"
import { defaultPaths, rootlessUid } from "./paths.ts"

test("root's store is the system's, unless SKIFF_ROOT and SKIFF_RUN_ROOT say otherwise", () => {
  if (process.getuid?.() !== 0) return console.log("skipped: not root")
  expect(defaultPaths({})).toEqual({ root: "/var/lib/skiff", runRoot: "/run/skiff" })
  expect(defaultPaths({ SKIFF_ROOT: "/a/../b", SKIFF_RUN_ROOT: "" })).toEqual({ root: "/b", runRoot: "/run/skiff" })
})

test("rootlessUid() believes the kernel, not the variable", () => {
  process.env._SKIFF_ROOTLESS_UID = "1000"
  expect(rootlessUid()).toBeUndefined()
  delete process.env._SKIFF_ROOTLESS_UID
})
