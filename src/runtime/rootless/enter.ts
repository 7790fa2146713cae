import { closeSync, fchownSync, fstatSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { hasErrno } from "../../base/errors.ts"
import type { OciConfig, OciProcess } from "../../spec/oci-runtime.ts"
import * as become from "../../sys/process/become.ts"
import { check, cString, execve, libc } from "../../sys/libc.ts"
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../../sys/net/netlink.ts"
import { getLink, linkUp } from "../../sys/net/rtnetlink.ts"
import { canFilter, loadFilter, type FilterProfile } from "../../sys/process/seccomp-filter.ts"
import { CAPABILITIES } from "../config/capabilities.ts"
import { mountRoot } from "./mount-root.ts"
import type { StepLevel } from "./level.ts"

const CANNOT_INVOKE = 126
const NOT_FOUND = 127

/** Which program is entered, and how. */
export interface EnterOptions {
  level: StepLevel
  /** Holds config.json. */
  bundle: string
  logFile: string
}

/**
 * Replaces this process by the program of a bundle: in the namespaces that unshare(1) made for it, at the level `chroot` in
 * none. What fails is written to the log in the OCI runtimes' form; gives the exit code then.
 */
export function enterStep({ level, bundle, logFile }: EnterOptions): number {
  // it lies outside the new root
  const log = openSync(logFile, "a", 0o600)
  try {
    const config = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8")) as OciConfig
    become.closeOnExec(readdirSync("/proc/self/fd").map(Number))
    become.leaveSessionKeyring()
    libc.umask(0o022)
    // from here on a library would be one of the hostile root
    const isFiltered = config.mounts.length > 0 && canFilter()
    if (config.mounts.length === 0) become.enterChroot(config.root.path)
    else enterNamespaces(config, level)
    if (isFiltered) filterCalls(config, level)
    dropRights(config.process, level)
    return execute(config.process)
  } catch (error) {
    writeSync(log, failureLine(error))
    closeSync(log)
    return error instanceof NotRunnable ? error.exitCode : CANNOT_INVOKE
  }
}

/** As OCI runtimes write their logs with `--log-format json`. */
export function failureLine(error: unknown): string {
  const msg = error instanceof Error ? error.message : String(error)
  return `${JSON.stringify({ level: "error", msg })}\n`
}

function enterNamespaces(config: OciConfig, level: StepLevel): void {
  if (config.hostname !== undefined && level !== "chroot") setHostname(config.hostname)
  if (config.linux.namespaces.some(({ type }) => type === "network")) raiseLoopback()
  mountRoot(config)
  become.pivotRoot(config.root.path)
}

/** Podman's filter allows namespaces, but no name of one's own in them. */
function setHostname(name: string): void {
  try {
    become.setHostname(name)
  } catch (error) {
    if (!hasErrno(error, "EPERM")) throw error
  }
}

function raiseLoopback(): void {
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  route.request([linkUp(getLink(route, "lo").index, "lo")])
}

/**
 * As an OCI runtime does, where we have the right: where we have not, somebody's filter is set for us. At the level
 * single-uid nobody can be given a file: chown(2) and setgroups(2) do nothing then, and say that all is well, so that
 * package managers do their work.
 */
function filterCalls({ linux: { seccomp } }: OciConfig, level: StepLevel): void {
  if (level === "single-uid") return loadFilter(withoutOwners(seccomp ?? ALL_ALLOWED))
  if (seccomp !== undefined) loadFilter(seccomp)
}

const ALL_ALLOWED: FilterProfile = { defaultAction: "SCMP_ACT_ALLOW", architectures: [], syscalls: [] }
const GIVING = ["chown", "chown32", "fchown", "fchown32", "lchown", "lchown32", "fchownat", "setgroups", "setgroups32"]

function withoutOwners(profile: FilterProfile): FilterProfile {
  const others = profile.syscalls.map((rule) => ({
    ...rule,
    names: rule.names.filter((name) => !GIVING.includes(name)),
  }))
  return { ...profile, syscalls: [{ names: GIVING, action: "SCMP_ACT_ERRNO", errnoRet: 0 }, ...others] }
}

/** Without a mount namespace: a second chroot(2) leads out of the first, and a device node to the host's disks. */
const NOT_IN_CHROOT = new Set(["CAP_SYS_CHROOT", "CAP_MKNOD"])

function dropRights({ user, cwd, rlimits = [], capabilities, noNewPrivileges }: OciProcess, level: StepLevel): void {
  for (const { type, soft, hard } of rlimits) become.setLimit(LIMITS.indexOf(type), limitOf(soft), limitOf(hard))
  const names = capabilities.bounding.filter((name) => level !== "chroot" || !NOT_IN_CHROOT.has(name))
  const kept = new Set(names.map((name) => CAPABILITIES.indexOf(name)))
  become.boundCapabilities(kept)
  // before the ids change: as docker, the directory is entered with root's rights
  check(libc.chdir(cString(cwd)), "chdir", cwd)
  giveStreams(user)
  // user_namespaces(7): where one id is mapped setgroups(2) is denied, and no other group has a name
  if (level !== "single-uid") become.setGroups(user.additionalGids ?? [])
  become.setIdentity(user.uid, user.gid)
  if (user.uid === 0) become.setCapabilities(kept)
  if (noNewPrivileges) become.forbidNewPrivileges()
}

/** So that the program's user may open /dev/stdout. Pipes alone: a device, such as /dev/null, is the host's own. */
function giveStreams({ uid, gid }: OciProcess["user"]): void {
  for (const fd of [0, 1, 2]) if (fstatSync(fd).isFIFO()) fchownSync(fd, uid, gid)
}

/** In the order of their numbers (asm-generic/resource.h). */
const LIMITS = "CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME"
  .split(" ")
  .map((name) => `RLIMIT_${name}`)
const UNLIMITED = 2n ** 64n - 1n

function limitOf(value: number): bigint {
  return value > Number.MAX_SAFE_INTEGER ? UNLIMITED : BigInt(value)
}

class NotRunnable extends Error {
  constructor(
    program: string,
    reason: string,
    readonly exitCode: number,
  ) {
    super(`exec: "${program}": ${reason}`)
  }
}

/** execve(2) by PATH, as execvp(3) looks; all of it inside the new root. */
function execute({ args, env }: OciProcess): number {
  const [program = ""] = args
  const variables = Object.fromEntries(env.map((entry) => splitAt(entry, entry.indexOf("="))))
  become.resetSignals()
  let denied = false
  for (const path of candidates(program, variables.PATH)) {
    try {
      execve(path, args, variables)
    } catch (error) {
      if (hasErrno(error, "EACCES")) denied = true
      else if (!hasErrno(error, "ENOENT", "ENOTDIR")) throw notRunnable(program, error)
    }
  }
  if (denied) throw new NotRunnable(program, "permission denied", CANNOT_INVOKE)
  const reason = program.includes("/") ? "no such file or directory" : "executable file not found in $PATH"
  throw new NotRunnable(program, reason, NOT_FOUND)
}

function candidates(program: string, path = ""): string[] {
  if (program.includes("/")) return [program]
  return path
    .split(":")
    .filter((directory) => directory.startsWith("/"))
    .map((directory) => `${directory}/${program}`)
}

function notRunnable(program: string, error: unknown): NotRunnable {
  const reason = hasErrno(error, "ENOEXEC") ? "exec format error" : String((error as Error).message)
  return new NotRunnable(program, reason, CANNOT_INVOKE)
}

function splitAt(entry: string, at: number): [string, string] {
  return [entry.slice(0, at), entry.slice(at + 1)]
}
