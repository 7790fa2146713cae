import { expect, test } from "bun:test"
import { detectCgroups } from "../../sys/process/cgroup.ts"
import { findProgram } from "../../sys/host.ts"
import { chooseRuntime, openChosen } from "./choose.ts"

test("crun, but runc on a hybrid host whose cgroup v2 still has controllers", () => {
  expect(chooseRuntime({ version: "v2", unifiedControllers: [] }).name).toBe("crun")
  expect(chooseRuntime({ version: "v1", unifiedControllers: [] }).name).toBe("crun")
  expect(chooseRuntime({ version: "hybrid", unifiedControllers: [] }).name).toBe("crun")
  const choice = chooseRuntime({ version: "hybrid", unifiedControllers: ["hugetlb"] })
  expect(choice.name).toBe("runc")
  expect(choice.reason).toContain("hugetlb")
})

test("a runtime that is not there is NotFound, with those that are known", () => {
  expect(() => openChosen("no-such-runtime", detectCgroups(), { stateRoot: "/x" })).toThrow(
    expect.objectContaining({ code: "NotFound", hint: { valid: ["crun", "runc", "the path of an executable"] } }),
  )
  expect(() => openChosen("/etc/passwd", detectCgroups(), { stateRoot: "/x" })).toThrow(
    expect.objectContaining({ code: "NotFound" }),
  )
})

test("runtimes of the cgroup managers get the words for them", () => {
  const cgroups = { ...detectCgroups(), version: "v2" as const, unifiedControllers: [] }
  const sh = findProgram("sh") ?? ""
  expect(openChosen(sh, { ...cgroups, manager: "systemd" }, { stateRoot: "/run/x" }).globalArgs).toEqual([
    "--root=/run/x/sh",
    "--systemd-cgroup",
  ])
  expect(openChosen(sh, { ...cgroups, manager: "cgroupfs" }, { stateRoot: "/run/x" }).globalArgs).toEqual([
    "--root=/run/x/sh",
  ])
})
