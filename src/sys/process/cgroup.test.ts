import { expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, statfsSync } from "node:fs"
import { CgroupReader } from "./cgroup-reader.ts"
import { cgroupDirectories, cgroupsPath, detectCgroups, isInOwnCgroup, readOomKills, removeCgroup } from "./cgroup.ts"

const cgroups = detectCgroups()
const isRoot = process.getuid?.() === 0

test("the version is what is mounted", () => {
  const v2 = statfsSync("/sys/fs/cgroup").type === 0x63677270
  expect(cgroups.version === "v2").toBe(v2)
  if (isRoot) expect(cgroups.controllers).toContain("memory")
})

test("a container's cgroup lies below our own parent unless another is named", () => {
  expect(cgroupsPath("abc", { manager: "cgroupfs" })).toBe("/skiff/abc")
  expect(cgroupsPath("abc", { manager: "systemd" })).toBe("user.slice:skiff:abc")
  expect(cgroupsPath("abc", { manager: "disabled" })).toBeUndefined()
  for (const directory of cgroupDirectories("abc", cgroups).values()) expect(directory).toMatch(/\/skiff\/abc$/)
})

test("or below the parent that was named, whose slices systemd nests", () => {
  expect(cgroupsPath("abc", { manager: "cgroupfs" }, "teaching/rooms")).toBe("/teaching/rooms/skiff-abc")
  for (const directory of cgroupDirectories("abc", cgroups, "/teaching").values())
    expect(directory).toMatch(/\/teaching\/skiff-abc$/)
})

test.each(["", ".", "..", "../x", "a/b", "/"])("an id like %j is refused before it becomes a path", (id) => {
  expect(() => cgroupDirectories(id, cgroups)).toThrow()
  expect(() => removeCgroup(id, { ...cgroups, manager: "cgroupfs" })).toThrow()
})

test("no process of the host passes for one of a container", () => {
  expect(isInOwnCgroup(process.pid, "abc")).toBe(false)
  expect(isInOwnCgroup(1, "abc")).toBe(false)
  expect(isInOwnCgroup(1, "")).toBe(false)
  expect(isInOwnCgroup(999_999_999, "abc")).toBe(false)
})

const writable = isRoot && cgroups.manager === "cgroupfs"
if (!writable) console.log("skipped: cgroups of our own: not root")

test.skipIf(!writable)("counters are read, and the directories removed, children first", () => {
  const id = `test-${process.pid}`
  const directories = [...cgroupDirectories(id, cgroups).values()]
  for (const directory of directories) mkdirSync(`${directory}/inner`, { recursive: true })
  using reader = new CgroupReader(cgroupDirectories(id, cgroups))
  expect(reader.read().pids ?? 0).toBe(0)
  expect(readOomKills(cgroupDirectories(id, cgroups))).toBe(0)
  removeCgroup(id, cgroups)
  removeCgroup(id, cgroups) // safe to repeat
  expect(directories.filter((directory) => existsSync(directory))).toEqual([])
  expect(reader.read().memoryBytes).toBeUndefined()
})

test.skipIf(!writable)("a cgroup that still has a process stays, and so does the process", async () => {
  const id = `busy-${process.pid}`
  const directories = [...cgroupDirectories(id, cgroups).values()].filter(
    (directory) => !directory.includes("/cpuset/"),
  )
  for (const directory of directories) mkdirSync(directory, { recursive: true })
  const child = Bun.spawn(["sleep", "60"])
  const [directory = ""] = directories
  await Bun.write(`${directory}/cgroup.procs`, String(child.pid))
  removeCgroup(id, cgroups)
  expect(readFileSync(`${directory}/cgroup.procs`, "utf8").trim()).toBe(String(child.pid))
  child.kill()
  await child.exited
  removeCgroup(id, cgroups)
  expect(existsSync(directory)).toBe(false)
})
