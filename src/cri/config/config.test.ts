import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "bun:test"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import type { LinuxContainerResources, LinuxContainerSecurityContext, NamespaceOption } from "../protocol/messages.ts"
import { logFile } from "./log-path.ts"
import { containerName, podName } from "./names.ts"
import { containerNamespaces, podNamespaces } from "./namespaces.ts"
import { resourceChanges, resourcesOf, toResources } from "./resources.ts"
import { securityOf } from "./security.ts"
import { signalOf, toSignal } from "./signals.ts"

const META = { name: "web", namespace: "default", uid: "u-1", attempt: 2 }
const invalid = expect.objectContaining({ code: "InvalidArgument" })

const given = (changes: Partial<LinuxContainerResources> = {}): LinuxContainerResources => ({
  cpu_period: "0",
  cpu_quota: "0",
  cpu_shares: "0",
  memory_limit_in_bytes: "0",
  oom_score_adj: "0",
  cpuset_cpus: "",
  cpuset_mems: "",
  hugepage_limits: [],
  unified: {},
  memory_swap_limit_in_bytes: "0",
  ...changes,
})
const modes = (changes: Partial<NamespaceOption> = {}): NamespaceOption => ({
  network: "POD",
  pid: "CONTAINER",
  ipc: "POD",
  target_id: "",
  userns_options: null,
  ...changes,
})
const context = (changes: Partial<LinuxContainerSecurityContext> = {}): LinuxContainerSecurityContext => ({
  capabilities: null,
  privileged: false,
  namespace_options: null,
  selinux_options: null,
  run_as_user: null,
  run_as_group: null,
  run_as_username: "",
  readonly_rootfs: false,
  supplemental_groups: [],
  supplemental_groups_policy: "Merge",
  no_new_privs: false,
  masked_paths: [],
  readonly_paths: [],
  seccomp: null,
  apparmor: null,
  apparmor_profile: "",
  seccomp_profile_path: "",
  ...changes,
})
const options = (changes: Partial<LinuxContainerSecurityContext>) => securityOf(context(changes)).securityOptions
const user = (changes: Partial<LinuxContainerSecurityContext>) => securityOf(context(changes)).user

function codeOf(call: () => unknown): unknown {
  try {
    call()
    return undefined
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

describe("names", () => {
  test("are made of the metadata, and of no more than the engine takes", () => {
    expect(podName(META)).toBe("k8s_web_default_u-1_2")
    expect(containerName({ name: "main", attempt: 1 }, META)).toBe("k8s_main_web_default_u-1_2_1")
    const [one, two] = ["a", "b"].map((end) => podName({ ...META, name: `${"x".repeat(250)}${end}` }))
    expect(one?.length).toBeLessThan(253)
    expect(one).not.toBe(two as string)
  })

  test("are refused where a part is none", () => {
    for (const name of ["", "a/b", "..", "a\nb", "-x", "a b", "\0"])
      expect(() => podName({ ...META, name })).toThrow(invalid)
    expect(() => podName(null)).toThrow(invalid)
  })
})

test("signals have the names of signal(7), and the protocol's", () => {
  expect([signalOf("RUNTIME_DEFAULT"), signalOf("SIGQUIT")]).toEqual([undefined, "SIGQUIT"])
  expect([signalOf("SIGRTMINPLUS3"), signalOf("SIGRTMAXMINUS14")]).toEqual(["SIGRTMIN+3", "SIGRTMAX-14"])
  expect([toSignal("SIGRTMIN+3"), toSignal("SIGRTMAX-14"), toSignal("SIGTERM")]).toEqual([
    "SIGRTMINPLUS3",
    "SIGRTMAXMINUS14",
    "SIGTERM",
  ])
})

describe("limits", () => {
  const host = { swap: true, isUnified: true, hugepages: true }

  test("that are not said are none; memory without a word of swap has none beside it", () => {
    expect(resourcesOf(given(), host)).toEqual({})
    expect(resourcesOf(null, host)).toEqual({})
    const memory = given({ memory_limit_in_bytes: "1000", cpu_quota: "-1" })
    expect(resourcesOf(memory, host)).toEqual({ memoryBytes: 1000, memorySwapBytes: 1000 })
    expect(resourcesOf(memory, { ...host, swap: false })).toEqual({ memoryBytes: 1000 })
    const pages = given({ hugepage_limits: ["0", "4194304"].map((limit) => ({ page_size: "2MB", limit })) })
    const limits = [0, 4_194_304].map((limitBytes) => ({ pageSize: "2MB", limitBytes }))
    expect(resourcesOf(pages, host)).toEqual({ hugepages: limits })
    // none of what nobody counts is no limit; some of it is one that cannot be held, and the engine says so
    expect(resourcesOf(pages, { ...host, hugepages: false })).toEqual({ hugepages: limits.slice(1) })
  })

  test("come back as they went", () => {
    const all = given({
      cpu_period: "100000",
      cpu_quota: "50000",
      cpu_shares: "512",
      memory_limit_in_bytes: "1000",
      memory_swap_limit_in_bytes: "2000",
      cpuset_cpus: "0-1",
      cpuset_mems: "0",
      hugepage_limits: [{ page_size: "2MB", limit: "4194304" }],
      unified: { "memory.high": "900" },
    })
    expect(toResources(resourcesOf(all, host))).toEqual(all)
  })

  test("that change are those that are said; -1 lifts one", () => {
    expect(resourceChanges(given({ cpu_quota: "-1", cpu_shares: "100", oom_score_adj: "900" }), host)).toEqual({
      cpuShares: 100,
      cpuQuotaUs: null,
    })
    expect(resourceChanges(given({ memory_limit_in_bytes: "-1" }), host)).toEqual({
      memoryBytes: null,
      memorySwapBytes: null,
    })
    expect(resourceChanges(null, host)).toEqual({})
  })

  test("beyond what a number holds are refused", () => {
    for (const cpu_shares of ["9223372036854775807", "-2", "x"])
      expect(() => resourcesOf(given({ cpu_shares }), host)).toThrow(invalid)
  })
})

describe("namespaces", () => {
  const map = [{ host_id: 100_000, container_id: 0, length: 65_536 }]

  test("of a sandbox are what it shares, and the node's", () => {
    expect(podNamespaces(null)).toEqual({ shares: ["network", "uts", "ipc", "pid"], namespaces: {} })
    expect(podNamespaces(modes())).toEqual({ shares: ["network", "uts", "ipc"], namespaces: {} })
    expect(podNamespaces(modes({ network: "NODE", pid: "NODE", ipc: "NODE" }))).toEqual({
      shares: ["network"],
      network: { kind: "host" },
      namespaces: { pid: { kind: "host" }, ipc: { kind: "host" }, uts: { kind: "host" } },
    })
  })

  test("of a container are what differs from its sandbox", () => {
    expect(containerNamespaces(modes(), modes())).toEqual({})
    expect(containerNamespaces(modes(), modes({ pid: "POD" }))).toEqual({ pid: { kind: "private" } })
    expect(containerNamespaces(modes({ pid: "TARGET", target_id: "abc" }), modes())).toEqual({
      pid: { kind: "container", container: "abc" },
    })
    expect(() => containerNamespaces(modes({ pid: "TARGET" }), modes())).toThrow(invalid)
    expect(() => containerNamespaces(modes({ network: "TARGET", target_id: "a" }), modes())).toThrow(invalid)
    expect(() => containerNamespaces(modes({ pid: "POD" }), modes())).toThrow(invalid)
  })

  test("of users are one range, the same for users and groups", () => {
    const mapped = [{ inside: 0, outside: 100_000, count: 65_536, ofHost: true }]
    const userns = (uids: typeof map, gids = uids, mode: "POD" | "NODE" | "CONTAINER" = "POD") =>
      podNamespaces(modes({ userns_options: { mode, uids, gids } }))
    expect(userns(map).userNamespace).toEqual({ kind: "mapped", uids: mapped, gids: mapped })
    expect(userns([], [], "NODE").userNamespace).toBeUndefined()
    const other = [{ ...map[0], host_id: 5 }] as typeof map
    for (const wrong of [() => userns([]), () => userns([...map, ...map]), () => userns(map, other)])
      expect(wrong).toThrow(invalid)
    expect(() => userns(map, map, "NODE")).toThrow(invalid)
    expect(() => userns(map, map, "CONTAINER")).toThrow(invalid)
    expect(() => userns([{ host_id: 1, container_id: 0, length: 0 }])).toThrow(invalid)
  })
})

describe("security", () => {
  test("is unconfined where nothing is said, and says the rest in the engine's words", () => {
    expect(securityOf(null)).toEqual({ securityOptions: ["seccomp=unconfined"] })
    expect(options({})).toEqual(["seccomp=unconfined"])
    expect(options({ seccomp_profile_path: "docker/default", no_new_privs: true })).toEqual(["no-new-privileges"])
    expect(options({ seccomp_profile_path: "localhost//p.json" })).toEqual(["seccomp=/p.json"])
    expect(options({ privileged: true, seccomp: { profile_type: "Localhost", localhost_ref: "/p" } })).toEqual([
      "seccomp=unconfined",
    ])
    expect(options({ apparmor: { profile_type: "Localhost", localhost_ref: "mine" } })).toContain("apparmor=mine")
    expect(options({ apparmor_profile: "localhost/mine" })).toContain("apparmor=mine")
    expect(options({ apparmor_profile: "runtime/default" })).toEqual(["seccomp=unconfined"])
    for (const localhost_ref of ["", "a b", "a\nb"])
      expect(() => options({ apparmor: { profile_type: "Localhost", localhost_ref } })).toThrow(invalid)
    expect(() => options({ apparmor_profile: "localhost/" })).toThrow(invalid)
    expect(options({ selinux_options: { user: "", role: "", type: "spc_t", level: "s0" } })).toEqual([
      "seccomp=unconfined",
      "label=type:spc_t",
      "label=level:s0",
    ])
    for (const seccomp_profile_path of ["/p.json", "localhost/p.json", "localhost//a\nb", "nonsense"])
      expect(() => options({ seccomp_profile_path })).toThrow(invalid)
  })

  test("is a user by number or by name, and a group only with one", () => {
    expect(user({})).toBeUndefined()
    expect(user({ run_as_user: { value: "1000" }, run_as_group: { value: "2000" } })).toBe("1000:2000")
    expect(user({ run_as_username: "me" })).toBe("me")
    expect(() => user({ run_as_group: { value: "1" } })).toThrow(invalid)
    expect(() => user({ run_as_user: { value: "1" }, run_as_username: "me" })).toThrow(invalid)
    expect(() => user({ run_as_username: "a:b" })).toThrow(invalid)
  })

  test("hides the paths that are named, and of a privileged container none", () => {
    const paths = { masked_paths: ["/a"], readonly_paths: ["/b"] }
    expect(securityOf(context(paths)).security).toEqual({ maskedPaths: ["/a"], readonlyPaths: ["/b"] })
    expect(securityOf(context({ ...paths, privileged: true })).security).toEqual({})
  })
})

describe("the path of a log", () => {
  test("is below its directory, which is made", () => {
    const directory = tempDirectory("skiff-cri-log-")
    expect(logFile(directory, "main/0.log")).toBe(join(directory, "main/0.log"))
    expect(logFile(directory, "./a/../b.log")).toBe(join(directory, "b.log"))
    expect([logFile("", "a.log"), logFile(directory, "")]).toEqual([undefined, undefined])
  })

  test("does not lead out of it, by any way", () => {
    const base = tempDirectory("skiff-cri-log-")
    const directory = join(base, "logs")
    mkdirSync(join(base, "away"))
    mkdirSync(directory)
    symlinkSync("../away", join(directory, "link"))
    symlinkSync("/etc/hostname", join(directory, "file.log"))
    writeFileSync(join(directory, "plain"), "")
    for (const path of ["..", "../x", "a/../../x", ".", "link/x", "file.log", "a\0b", "a\nb"])
      expect([path, codeOf(() => logFile(directory, path))]).toEqual([path, "InvalidArgument"])
    expect(() => logFile("relative", "a.log")).toThrow(invalid)
    expect(logFile(directory, "/etc/x.log")).toBe(join(directory, "etc/x.log"))
  })
})
