import { describe, expect, test } from "bun:test"
import type { OciConfig } from "../../spec/oci-runtime.ts"
import type { Cgroups } from "../../sys/process/cgroup.ts"
import { CAPABILITIES } from "./capabilities.ts"
import { configInput } from "./config-input.suite.ts"
import { execProcess, runtimeConfig, type ConfigHost } from "./config.ts"
import type { ConfigInput } from "../runtime.ts"

const V2: Cgroups = {
  version: "v2",
  controllers: ["cpuset", "cpu", "io", "memory", "pids"],
  unifiedControllers: [],
  manager: "cgroupfs",
  swap: true,
  remedy: "be root",
}
const NO_CGROUPS: Cgroups = { ...V2, controllers: [], manager: "disabled" }
const HOST: ConfigHost = { cgroups: V2, rootless: false, capabilities: CAPABILITIES, cpus: 4 }

const input = (changes: Partial<ConfigInput> = {}): ConfigInput =>
  configInput({ id: "c1", rootfs: "/run/skiff/containers/c1/rootfs", argv: ["sh"], ...changes })

const make = (changes: Partial<ConfigInput> = {}, host: Partial<ConfigHost> = {}): OciConfig =>
  runtimeConfig(input(changes), { ...HOST, ...host })
const namespaces = (config: OciConfig): string[] => config.linux.namespaces.map(({ type }) => type)
const mountAt = (config: OciConfig, target: string) => config.mounts.filter(({ destination }) => destination === target)

const bindWith = (option: string) => ({ destination: "/x", type: "bind", source: "/x", options: ["rbind", option] })

const nofile = (hard: number) => ({ ulimits: [{ name: "nofile", soft: 10, hard }] })

describe("runtimeConfig()", () => {
  test("gives every namespace, a cgroup below our own parent, masks and read-only paths", () => {
    const config = make()
    expect(namespaces(config)).toEqual(["mount", "pid", "ipc", "uts", "network", "cgroup"])
    expect(config.linux.cgroupsPath).toBe("/skiff/c1")
    expect(config.linux.maskedPaths).toContain("/proc/kcore")
    expect(config.linux.readonlyPaths).toContain("/proc/sys")
    expect(config.process.noNewPrivileges).toBe(false)
  })

  test("the cgroup lies where it is told to, or there is none", () => {
    expect(make({ cgroupPlacement: { parent: "/teaching" } }).linux.cgroupsPath).toBe("/teaching/skiff-c1")
    const systemd = { cgroups: { ...V2, manager: "systemd" as const } }
    expect(make({ cgroupPlacement: { parent: "app.slice" } }, systemd).linux.cgroupsPath).toBe("app.slice:skiff:c1")
  })

  test("device rules come after docker's, and are root's alone", () => {
    const deviceCgroupRules = [{ type: "c" as const, major: 42, access: "rw" }]
    expect(make({ deviceCgroupRules }).linux.resources?.devices?.at(-1)).toEqual({
      allow: true,
      type: "c",
      major: 42,
      access: "rw",
    })
    expect(() => make({ deviceCgroupRules }, { rootless: true })).toThrow("ordinary user")
  })

  test("an ordinary user raises neither a hard limit above his own nor his score with the OOM killer", () => {
    expect(make(nofile(20), { rootless: true }).process.rlimits).toEqual([
      { type: "RLIMIT_NOFILE", soft: 10, hard: 20 },
    ])
    expect(() => make(nofile(2 ** 40), { rootless: true })).toThrow("cannot raise the hard limit")
    expect(make(nofile(2 ** 40)).process.rlimits?.[0]?.hard).toBe(2 ** 40)
    expect(make({ oomScoreAdj: 500 }, { rootless: true }).process.oomScoreAdj).toBe(500)
    expect(() => make({ oomScoreAdj: -1000 }, { rootless: true })).toThrow("cannot lower the OOM score")
    expect(() => make({ oomScoreAdj: 1001 })).toThrow("invalid value 1001")
  })

  test("leaves out the namespaces that the host's stand for, and the host name with them", () => {
    const config = make({ network: { kind: "host" }, uts: "host", hostname: "boat" })
    expect(namespaces(config)).toEqual(["mount", "pid", "ipc", "cgroup"])
    expect(config.hostname).toBeUndefined()
    expect(make({ domainname: "example.org" }).linux.sysctl).toMatchObject({ "kernel.domainname": "example.org" })
    expect(make({ network: { kind: "path", path: "/proc/7/ns/net" } }).linux.namespaces).toContainEqual({
      type: "network",
      path: "/proc/7/ns/net",
    })
  })

  test("a mount of the user's hides the default one; one at /dev hides all below it", () => {
    const shm = { destination: "/dev/shm/", type: "bind", source: "/x", options: ["bind"] }
    expect(mountAt(make({ mounts: [shm] }), "/dev/shm")).toEqual([])
    const dev = { destination: "/dev", type: "bind", source: "/x", options: ["bind"] }
    const targets = make({ mounts: [dev] }).mounts.map(({ destination }) => destination)
    expect(targets).toEqual(["/proc", "/sys", "/sys/fs/cgroup", "/dev"])
  })

  test("as an ordinary user without cgroups: no cgroup mount, no devices, /sys bound with the host's network", () => {
    const config = make({ network: { kind: "host" } }, { rootless: true, cgroups: NO_CGROUPS })
    expect(namespaces(config)).not.toContain("cgroup")
    expect(config.linux.cgroupsPath).toBeUndefined()
    expect(config.linux.resources).toBeUndefined()
    expect(mountAt(config, "/sys/fs/cgroup")).toEqual([])
    expect(mountAt(config, "/sys")).toMatchObject([{ type: "bind", source: "/sys" }])
  })

  test("as an ordinary user a device is bound, as none can be made", () => {
    const devices = [{ hostPath: "/dev/null", containerPath: "/dev/nil", permissions: "r" }]
    const config = make({ devices }, { rootless: true })
    expect(config.linux.devices).toEqual([])
    expect(mountAt(config, "/dev/nil")).toMatchObject([{ type: "bind", source: "/dev/null" }])
    expect(mountAt(config, "/dev/nil")[0]?.options).toContain("ro")
    expect(make({ devices }).linux.devices).toMatchObject([{ path: "/dev/nil", type: "c", major: 1, minor: 3 }])
  })

  test("--init runs the program under /dev/init", () => {
    const config = make({ initPath: "/usr/bin/catatonit", argv: ["sleep", "1"] })
    expect(config.process.args).toEqual(["/dev/init", "--", "sleep", "1"])
    expect(config.mounts.at(-1)).toMatchObject({ destination: "/dev/init", source: "/usr/bin/catatonit" })
  })

  test("an unlimited ulimit reaches the runtime as RLIM_INFINITY", () => {
    const config = make({ ulimits: [{ name: "core", soft: 0, hard: -1 }] })
    expect(JSON.stringify(config.process.rlimits)).toBe('[{"type":"RLIMIT_CORE","soft":0,"hard":18446744073709551615}]')
  })

  test("a shared or slave bind makes the root pass it on", () => {
    expect(make({ mounts: [bindWith("rshared")] }).linux.rootfsPropagation).toBe("shared")
    expect(make({ mounts: [bindWith("rslave")] }).linux.rootfsPropagation).toBe("rslave")
    expect(make({ mounts: [bindWith("rprivate")] }).linux.rootfsPropagation).toBeUndefined()
  })

  test.each<[string, Partial<ConfigInput>]>([
    ["user id beyond 31 bits", { user: { uid: 2 ** 32, gid: 0, additionalGids: [] } }],
    ["negative group id", { user: { uid: 0, gid: 0, additionalGids: [-1] } }],
    ["working directory in /proc", { cwd: "/proc/self/fd/7" }],
    ["working directory that comes to /proc", { cwd: "/a/../proc/self" }],
    ["relative working directory", { cwd: "a" }],
    ["mount over the root", { mounts: [{ destination: "/./" }] }],
    ["mount over /proc", { mounts: [{ destination: "//proc/sys" }] }],
    ["NUL in a target", { mounts: [{ destination: "/a\0b" }] }],
    ["no command", { argv: [] }],
    ["soft limit above the hard one", { ulimits: [{ name: "nofile", soft: 2, hard: 1 }] }],
    ["unknown ulimit", { ulimits: [{ name: "nofiles", soft: 1, hard: 1 }] }],
    ["unknown security option", { securityOptions: ["no-new-privilege"] }],
    ["not a device", { devices: [{ hostPath: "/etc/passwd", containerPath: "/x", permissions: "rwm" }] }],
    ["device permissions", { devices: [{ hostPath: "/dev/null", containerPath: "/x", permissions: "rx" }] }],
    ["network sysctl with the host's network", { network: { kind: "host" }, sysctls: { "net.core.somaxconn": "1" } }],
  ])("refuses %s", (_, changes) => {
    expect(() => make(changes)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
  })
})

describe("execProcess()", () => {
  const PLACE = { available: CAPABILITIES, rootless: false }

  test("bounds the program as the container is now, where that was changed since", () => {
    const config = make({ ulimits: [{ name: "nofile", soft: 10, hard: 20 }] })
    const program = { argv: ["id"], env: [], tty: false, privileged: false }
    expect(execProcess(config, program, PLACE).rlimits).toEqual([{ type: "RLIMIT_NOFILE", soft: 10, hard: 20 }])
    const changed = { ...program, ulimits: [{ name: "nofile", soft: 30, hard: 40 }] }
    expect(execProcess(config, changed, PLACE).rlimits).toEqual([{ type: "RLIMIT_NOFILE", soft: 30, hard: 40 }])
  })

  test("keeps the container's own, but for what the caller changes", () => {
    const config = make({ env: ["A=1"], cwd: "/srv", capDrop: ["all"] })
    const changes = { argv: ["id"], env: ["B=2"], tty: false, privileged: false }
    expect(execProcess(config, changes, PLACE)).toMatchObject({
      args: ["id"],
      env: ["A=1", "B=2"],
      cwd: "/srv",
      capabilities: { bounding: [], effective: [], inheritable: [], ambient: [] },
    })
    const privileged = execProcess(config, { ...changes, privileged: true, cwd: "/" }, PLACE)
    expect(privileged.capabilities).toMatchObject({ bounding: CAPABILITIES, inheritable: [], ambient: [] })
    expect(() => execProcess(config, { ...changes, cwd: "/proc/self/fd/7" }, PLACE)).toThrow()
  })
})

test("paths that are named are hidden and protected in the place of the usual ones; of a privileged container none", () => {
  const given = { maskedPaths: ["/a"], readonlyPaths: [] }
  expect(make(given).linux).toMatchObject(given)
  expect(make({ ...given, privileged: true }).linux).toMatchObject({ maskedPaths: [], readonlyPaths: [] })
})
