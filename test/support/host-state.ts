/** What a store holds of the host: whatever is there after its last container went, and was not before, was left behind. */
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs"
import { kernelNames } from "../../src/network/names.ts"
import { user } from "./user.ts"

export interface HostState {
  mounts: string[]
  links: string[]
  portElements: string[]
  cgroups: string[]
  /** Processes that name the store in their arguments: monitors, pasta; and those that hold published ports. */
  processes: string[]
  /** Run directories of containers. */
  runState: string[]
}

export function hostState(store: string): HostState {
  const pauseProcess = pauseProcessOf(store)
  const ownNetwork = !user.rootless
  return {
    mounts: mountsBelow(store, pauseProcess),
    links: ownNetwork
      ? ["veth", "ifb"].flatMap((type) =>
          lines("ip", "-o", "link", "show", "type", type)
            .map((line) => line.split(":")[1] ?? "")
            // to another host of the tests that run beside these
            .filter((name) => !/^ so\d/.test(name)),
        )
      : [],
    portElements: ownNetwork ? portElements(kernelNames(`${store}/run`, false).table) : [],
    cgroups: cgroupsOfContainers(),
    processes: [...processesNaming(store), ...portHoldersOf(store)],
    runState: [...namesIn(`${store}/run/containers`), ...unreadExits(store)],
  }
}

/**
 * Those of this user: another's tests run beside these. Where some of the same user's do (scripts/test.ts), only those that nobody is
 * in: whoever is left in one is seen as a process.
 */
function cgroupsOfContainers(): string[] {
  const where = ["/sys/fs/cgroup", "-type", "d", "-user", String(user.uid), "-path", "*skiff*"]
  const all = lines("find", ...where, "-regextype", "egrep", "-regex", ".*[0-9a-f]{64}.*")
  return process.env.SKIFF_TEST_BESIDE === undefined ? all : all.filter((cgroup) => !isPopulated(cgroup, all))
}

/** In any hierarchy: on a hybrid host there is one of each container's that nobody is ever in. */
function isPopulated(cgroup: string, all: readonly string[]): boolean {
  const id = cgroup.match(/[0-9a-f]{64}/g)?.at(-1) ?? cgroup
  return all.some((each) => {
    if (!each.includes(id)) return false
    try {
      return readFileSync(`${each}/cgroup.procs`, "latin1") !== ""
    } catch {
      return false // it went meanwhile
    }
  })
}

/** Exit codes of removed containers are left for ten seconds to who waits for them; the first command after that sweeps. */
export const UNREAD_EXIT_MS = 10_000

function unreadExits(store: string): string[] {
  const exits = `${store}/run/exits`
  return namesIn(exits).filter((id) => Date.now() - statSync(`${exits}/${id}`).mtimeMs > UNREAD_EXIT_MS)
}

function lines(...[program = "", ...args]: string[]): string[] {
  return spawnSync(program, args).stdout.toString().split("\n").filter(Boolean)
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** Of this mount namespace, and of the pause process's where there is one. */
function mountsBelow(store: string, pauseProcess: number | undefined): string[] {
  const tables = ["/proc/self/mounts", ...(pauseProcess === undefined ? [] : [`/proc/${pauseProcess}/mounts`])]
  return tables.flatMap((table) => {
    try {
      return readFileSync(table, "utf8")
        .split("\n")
        .map((line) => line.split(" ")[1] ?? "")
        .filter((path) => path.startsWith(`${store}/`) && !path.endsWith("rootless.netns"))
    } catch {
      return []
    }
  })
}

function portElements(table: string): string[] {
  return ["portmap", "portmap_ip"].flatMap((name) => {
    const { status, stdout } = spawnSync("nft", ["-j", "list", "map", "inet", table, name])
    if (status !== 0) return []
    const { nftables } = JSON.parse(stdout.toString()) as { nftables: { map?: { elem?: unknown[] } }[] }
    return nftables.flatMap(({ map }) => (map?.elem ?? []).map((element) => JSON.stringify(element)))
  })
}

/** Their names, without the helpers of an ordinary user. */
export function processesNaming(store: string): string[] {
  return processesOf(store).flatMap(({ pid, name, isHelper }) => (isHelper ? [] : [`${name} (${pid})`]))
}

/** The pause process of an ordinary user and his pasta: they stay for some seconds after the store was used. */
export function helpersOf(store: string): number[] {
  return processesOf(store).flatMap(({ pid, isHelper }) => (isHelper ? [pid] : []))
}

function processesOf(store: string): { pid: number; name: string; isHelper: boolean }[] {
  return pids().flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8")
      if (!line.includes(`${store}/`)) return []
      const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim()
      return [{ pid: Number(pid), name, isHelper: /^(pasta|passt)/.test(name) || line.includes("namespaces.lock") }]
    } catch {
      return []
    }
  })
}

/** The process that holds the namespaces of a rootless store, when there is one. */
export function pauseProcessOf(store: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(`${store}/run/pause.json`, "utf8")) as { pausePid: number }).pausePid
  } catch {
    return undefined
  }
}

const pids = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name))

/** The name of a namespace of a process, such as `net:[4026531840]`. */
export const namespaceOf = (pid: number | "self", kind: string) => readlinkSync(`/proc/${pid}/ns/${kind}`)

/** Processes that hold ports which were published while a container ran. */
export function portHoldersOf(store: string): string[] {
  return namesIn("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(`_SKIFF_PORT_HOLDER=${store}/`)
      )
    } catch {
      return false
    }
  })
}
