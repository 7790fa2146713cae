/**
 * What turns this process into a container's: a root of its own, limits, ids, capabilities. Each call is for good. They
 * apply to the calling thread or the whole process, and to the program that `execve` then puts in its place.
 */
import { dlopen, FFIType, ptr } from "bun:ffi"
import { check, cString, libc } from "../libc.ts"
import { isOwnChild } from "./process.ts"
import { childrenOf } from "./store-users.ts"

const i32 = FFIType.i32
const u32 = FFIType.u32
const pointer = FFIType.ptr

const { symbols: c } = dlopen("libc.so.6", {
  chroot: { args: [pointer], returns: i32 },
  pivot_root: { args: [pointer, pointer], returns: i32 },
  sethostname: { args: [pointer, FFIType.u64_fast], returns: i32 },
  setgroups: { args: [FFIType.u64_fast, pointer], returns: i32 },
  setresgid: { args: [u32, u32, u32], returns: i32 },
  setresuid: { args: [u32, u32, u32], returns: i32 },
  capset: { args: [pointer, pointer], returns: i32 },
  prlimit: { args: [i32, i32, pointer, pointer], returns: i32 },
  signal: { args: [i32, FFIType.u64_fast], returns: FFIType.u64_fast },
  waitpid: { args: [i32, pointer, i32], returns: i32 },
})

const MNT_DETACH = 2
const WNOHANG = 1
const PR_CAPBSET_READ = 23
const PR_CAPBSET_DROP = 24
const PR_SET_CHILD_SUBREAPER = 36
const PR_SET_NO_NEW_PRIVS = 38
const PR_CAP_AMBIENT = 47
const PR_CAP_AMBIENT_CLEAR_ALL = 4
const CAPABILITY_VERSION_3 = 0x20080522
const NO_IDS = new Uint32Array(1)

/** chroot(2), with the working directory inside. */
export function enterChroot(root: string): void {
  check(libc.chdir(cString(root)), "chdir", root)
  check(c.chroot(cString(".")), "chroot", root)
}

/** pivot_root(2) to the mount point `root`; the old root is gone from this mount namespace. */
export function pivotRoot(root: string): void {
  check(libc.chdir(cString(root)), "chdir", root)
  const here = cString(".")
  // pivot_root(2), "pivot_root(".", ".")": the old root lies over the new one until it is unmounted
  check(c.pivot_root(here, here), "pivot_root", root)
  check(libc.umount2(here, MNT_DETACH), "umount", "of the old root")
  check(libc.chdir(cString("/")), "chdir", "/")
}

/** sethostname(2), in the UTS namespace that we are in. Throws SystemError. */
export function setHostname(name: string): void {
  const bytes = Buffer.from(name)
  check(c.sethostname(bytes, bytes.length), "sethostname", name)
}

/** getrlimit(2): `resource` by its number; `2^64 - 1` is no limit. */
export function setLimit(resource: number, soft: bigint, hard: bigint): void {
  check(c.prlimit(0, resource, new BigUint64Array([soft, hard]), null), "prlimit", String(resource))
}

/** setgroups(2): exactly these supplementary groups, none for `[]`. Throws SystemError. */
export function setGroups(gids: readonly number[]): void {
  check(c.setgroups(gids.length, gids.length === 0 ? NO_IDS : Uint32Array.from(gids)), "setgroups")
}

/** All three of each: nothing is left to go back to. */
export function setIdentity(uid: number, gid: number): void {
  check(c.setresgid(gid, gid, gid), "setresgid", String(gid))
  check(c.setresuid(uid, uid, uid), "setresuid", String(uid))
}

/** Drops from the bounding set all numbers but `kept`; needs CAP_SETPCAP. */
export function boundCapabilities(kept: ReadonlySet<number>): void {
  for (let number = 0; libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
    if (!kept.has(number) && libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) === 1)
      check(libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0), "prctl", `drop capability ${number}`)
}

/** capset(2) of this thread: permitted and effective are `kept`, the others empty. */
export function setCapabilities(kept: ReadonlySet<number>): void {
  libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
  const words = [0, 0]
  for (const number of kept) words[number >> 5] = ((words[number >> 5] ?? 0) | (1 << (number & 31))) >>> 0
  const [low = 0, high = 0] = words
  const header = new Uint32Array([CAPABILITY_VERSION_3, 0])
  const data = new Uint32Array([low, low, 0, high, high, 0]) // effective, permitted, inheritable, twice
  check(c.capset(ptr(header), ptr(data)), "capset")
}

/** prctl(2): no program gains rights by set-id bits or file capabilities any more. */
export function forbidNewPrivileges(): void {
  check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "no_new_privs")
}

/** Orphans below us become our children (PR_SET_CHILD_SUBREAPER). */
export function adoptOrphans(): void {
  check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl", "child subreaper")
}

/** Takes the ends of all children that have ended; not to be called while anybody waits for one of them. */
export function reapChildren(): void {
  while (c.waitpid(-1, null, WNOHANG) > 0) continue
}

/** Takes the ends of adopted children that have ended, and of no others. */
export function reapAdopted(): void {
  for (const pid of childrenOf(process.pid)) if (!isOwnChild(pid)) c.waitpid(pid, null, WNOHANG)
}

/** No descriptor but the first three outlives an execve. */
export function closeOnExec(descriptors: readonly number[]): void {
  for (const fd of descriptors) if (fd > 2) libc.fcntl(fd, F_SETFD, FD_CLOEXEC)
}

const F_SETFD = 2
const FD_CLOEXEC = 1

/** Each signal does what it does by default; an ignored one would stay so in the next program. */
export function resetSignals(): void {
  for (let number = 1; number < FIRST_REALTIME_SIGNAL; number++) c.signal(number, SIG_DFL)
}

const SIG_DFL = 0
const FIRST_REALTIME_SIGNAL = 32

/** keyrings(7): the caller's keys are not handed on. Where the kernel has none, or a filter forbids the call, there are none. */
export function leaveSessionKeyring(): void {
  libc.syscall(SYS_KEYCTL, KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
}

const SYS_KEYCTL = process.arch === "arm64" ? 219 : 250
const KEYCTL_JOIN_SESSION_KEYRING = 1
