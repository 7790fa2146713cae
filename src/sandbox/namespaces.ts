/** The namespaces of a sandbox, in the kernel: made by a short-lived program, held by bind mounts. */
import { setTimeout as sleep } from "node:timers/promises"
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync, writeSync } from "node:fs"
import { FailedPrecondition, hasErrno } from "../base/errors.ts"
import { mountAt, MountFlag, unmountAll } from "../sys/fs/mount.ts"
import { NetlinkSocket } from "../sys/net/netlink.ts"
import { openNetns, visitNetns } from "../sys/net/netns.ts"
import { getLink, linkUp } from "../sys/net/rtnetlink.ts"
import { close, pipe } from "../sys/libc.ts"
import { PipeReader } from "../sys/process/pipe.ts"
import {
  isAlive,
  processStartTime,
  signalProcess,
  spawnProcess,
  type Pid,
  type StartTime,
} from "../sys/process/process.ts"
import type { SandboxDeps } from "./deps.ts"
import type { SandboxOptions } from "./sandbox.ts"

const SIGKILL = 9
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
const KINDS = { network: "net", ipc: "ipc", uts: "uts", pid: "pid" } as const

export interface MadeNamespaces {
  /** The first process of the pid namespace. */
  pausePid?: Pid
  pauseStartTime?: StartTime
}

export function sandboxDirectory({ runRoot }: { runRoot: string }, id: string): string {
  return `${runRoot}/sandboxes/${id}`
}

/** Where each namespace of a sandbox is opened. */
export function namespacePaths(directory: string, sharePid: boolean): Record<keyof typeof KINDS, string> {
  const path = (kind: string): string => `${directory}/${kind}`
  return { network: path("net"), ipc: path("ipc"), uts: path("uts"), pid: sharePid ? path("pid") : "" }
}

/**
 * Before it, of a program in all of them but the pid namespace, whose first process must be the pause program: names the host, and
 * puts the pause program into a root of its own, which nobody but it sees.
 */
const PREPARE = `[ -w /proc/sys/kernel/hostname ] && { printf %s "$1" > /proc/sys/kernel/hostname
[ -z "$2" ] || printf %s "$2" > /proc/sys/kernel/domainname; }
[ -z "$3" ] || { mount -t tmpfs -o mode=755,nosuid,nodev,size=16m pause "$4" && cp "$3" "$4/init" &&
chmod 755 "$4/init" && mount -o remount,ro "$4" || exit; }
shift 4; exec "$@"`

/**
 * Of a program in the new namespaces: starts the pause program (which is the first of the pid namespace), says
 * both pids, and waits until they are bound. The end of its input means that we have died.
 */
const MAKER = `[ $# = 0 ] || { "$@" </dev/null >/dev/null 2>&1 3>&- & }
echo "$$ $!" >&3; exec 3>&-; read -r _ || kill -9 $!`

/**
 * Makes the namespaces and the /dev/shm of a sandbox below `directory`. What it throws leaves the rest to `releaseNamespaces`.
 * A child makes them, as an ordinary user's process could not come back from them.
 */
export async function makeNamespaces(
  directory: string,
  { hostname, domainname = "", sharePid, shmSizeBytes }: SandboxOptions,
  { pauseProgram, oneWay }: Pick<SandboxDeps, "pauseProgram" | "oneWay">,
): Promise<MadeNamespaces> {
  mkdirSync(`${directory}/shm`, { recursive: true, mode: 0o700 })
  mountAt(`${directory}/shm`, {
    type: "tmpfs",
    source: "shm",
    data: ["mode=1777", `size=${shmSizeBytes}`],
    flags: MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec,
  })
  const pause = sharePid ? pauseProgram() : undefined
  const root = `${directory}/pause`
  if (pause?.file !== undefined) mkdirSync(root, { mode: 0o700 })
  const unshare = ["unshare", "--net", "--ipc", "--uts", ...(pause?.file === undefined ? [] : ["--mount"])]
  const prepare = ["/bin/sh", "-c", PREPARE, "sh", hostname, domainname, pause?.file ?? "", root]
  const make = [...(pause === undefined ? [] : ["unshare", "--pid"]), "/bin/sh", "-c", MAKER, "sh"]
  const [input, report] = [pipe(), pipe()]
  const maker = spawnProcess([...unshare, ...prepare, ...make, ...(pause?.command(root) ?? [])], {
    // a container with CAP_SYS_PTRACE reads the pause program's: nothing of our caller's is there
    env: { PATH },
    cwd: "/",
    stdio: [input.readEnd, "ignore", "pipe", report.writeEnd],
  })
  close(input.readEnd)
  close(report.writeEnd)
  using reader = new PipeReader(report.readEnd)
  try {
    const words = (await reader.line())?.split(" ").map(Number) ?? []
    const [pid, pausePid] = words as (Pid | undefined)[]
    if (pid === undefined) throw await makerFailure(maker.stderr)
    const pauseStartTime = pause === undefined || pausePid === undefined ? undefined : processStartTime(pausePid)
    if (pause && pausePid && pauseStartTime) await untilPaused(pausePid, pauseStartTime, pause.name)
    for (const [kind, path] of Object.entries(namespacePaths(directory, sharePid)))
      if (path !== "") bind(`/proc/${kind === "pid" ? pausePid : pid}/ns/${KINDS[kind as keyof typeof KINDS]}`, path)
    await bringLoopbackUp(directory, { hostname, domainname }, oneWay)
    writeSync(input.writeEnd, "\n")
    return pausePid && pauseStartTime ? { pausePid, pauseStartTime } : {}
  } finally {
    close(input.writeEnd)
  }
}

/** Until then it is a program of ours with all privileges, which no container may see. Throws FailedPrecondition when it has ended. */
async function untilPaused(pid: Pid, startTime: StartTime, name: string): Promise<void> {
  while (commandName(pid) !== name) {
    if (!isAlive(pid, startTime))
      throw new FailedPrecondition("the first process of a shared pid namespace ended at once", {
        field: "sharePid",
        hint: { do: "diagnose" },
      })
    await sleep(1)
  }
}

function commandName(pid: Pid): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim()
  } catch {
    return undefined // it has ended
  }
}

async function makerFailure(stderr: AsyncIterable<Uint8Array> | undefined): Promise<FailedPrecondition> {
  let words = ""
  for await (const chunk of stderr ?? []) words = (words + Buffer.from(chunk).toString()).slice(0, 4096)
  return new FailedPrecondition(`cannot make the namespaces of a sandbox: ${words.trim() || "no message"}`, {
    hint: { do: "diagnose" },
  })
}

function bind(source: string, target: string): void {
  writeFileSync(target, "", { mode: 0o600 })
  mountAt(target, { type: "none", source, data: [], flags: MountFlag.bind })
}

/** An ordinary user's program cannot write the names to /proc/sys, which is the host's root's: the same visit sets them. */
async function bringLoopbackUp(
  directory: string,
  { hostname, domainname = "" }: Pick<SandboxOptions, "hostname" | "domainname">,
  oneWay: boolean,
): Promise<void> {
  const netns = openNetns(`${directory}/net`)
  const uts = openSync(`${directory}/uts`, "r")
  try {
    const [sockets] = await visitNetns([{ netns, route: true, names: { uts, hostname, domainname } }], oneWay)
    if (sockets === undefined) return
    using route = new NetlinkSocket(sockets.route)
    route.request([linkUp(getLink(route, "lo").index, "lo")])
  } finally {
    closeSync(netns)
    closeSync(uts)
  }
}

/** Lets go of all that `makeNamespaces` made; the pause program is killed, and all in its pid namespace with it. Safe to repeat. */
export function releaseNamespaces(directory: string, { pausePid, pauseStartTime }: MadeNamespaces): void {
  if (pausePid !== undefined && pauseStartTime !== undefined) signalProcess(pausePid, pauseStartTime, SIGKILL)
  for (const name of [...Object.values(KINDS), "shm"]) unmountAll(`${directory}/${name}`)
  try {
    // rmdir first: it must fail while the tmpfs is there
    rmdirSync(`${directory}/shm`)
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
  }
  rmSync(directory, { recursive: true, force: true })
}
