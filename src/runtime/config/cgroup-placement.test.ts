import { expect, test } from "bun:test"
import type { Cgroups } from "../../sys/process/cgroup.ts"
import { placedCgroups } from "./cgroup-placement.ts"

const ROOT: Cgroups = {
  version: "v2",
  controllers: ["memory"],
  unifiedControllers: [],
  manager: "cgroupfs",
  swap: true,
  remedy: "be root",
}

test("a container without a cgroup has no controller, and its limits are its maker's fault", () => {
  expect(placedCgroups({ disabled: true }, ROOT)).toMatchObject({ manager: "disabled", controllers: [] })
  expect(placedCgroups(undefined, ROOT)).toBe(ROOT)
})

test.each(["/teaching", "teaching", "/a/b.slice/", "machine.slice"])("%s is a parent of cgroups", (parent) => {
  expect(placedCgroups({ parent }, ROOT)).toBe(ROOT)
})

test.each(["", "/", "..", "/a/../..", "/a/../b", "/a//b", "/a b", "/a\nb", "//"])("%j is none", (parent) => {
  expect(() => placedCgroups({ parent }, ROOT)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
})

test("systemd's are slices by name", () => {
  const systemd: Cgroups = { ...ROOT, manager: "systemd" }
  expect(placedCgroups({ parent: "app-web.slice" }, systemd)).toBe(systemd)
  for (const parent of ["/app", "app", "a/b.slice", "-.slice", "a--b.slice"])
    expect(() => placedCgroups({ parent }, systemd)).toThrow("valid slice")
})

test("who has no cgroups has no parent for them", () => {
  expect(() => placedCgroups({ parent: "/a" }, { ...ROOT, manager: "disabled" })).toThrow(
    expect.objectContaining({ code: "FailedPrecondition", hint: "be root" }),
  )
})
