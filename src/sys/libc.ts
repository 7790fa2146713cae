/**
 * The C library by FFI: the system calls that `node:fs` and `node:child_process` do not offer.
 * Every wrapper throws a SystemError with the errno name. Calls are synchronous and must not block for long.
 */
import { dlopen, FFIType, ptr, read, type FFIFunction, type Library, type Pointer } from "bun:ffi"
import { errnoName } from "./errno.ts"

const i32 = FFIType.i32
const u32 = FFIType.u32
const i64_fast = FFIType.i64_fast
const u64_fast = FFIType.u64_fast
const pointer = FFIType.ptr
const cstring = FFIType.ptr

const SIGNATURES = {
  __errno_location: { args: [], returns: pointer },
  mount: { args: [cstring, cstring, cstring, u64_fast, cstring], returns: i32 },
  umount2: { args: [cstring, i32], returns: i32 },
  chdir: { args: [cstring], returns: i32 },
  fchdir: { args: [i32], returns: i32 },
  setns: { args: [i32, i32], returns: i32 },
  unshare: { args: [i32], returns: i32 },
  execve: { args: [cstring, pointer, pointer], returns: i32 },
  dup2: { args: [i32, i32], returns: i32 },
  flock: { args: [i32, i32], returns: i32 },
  fcntl: { args: [i32, i32, i64_fast], returns: i32 },
  pipe2: { args: [pointer, i32], returns: i32 },
  syscall: { args: [i64_fast, i64_fast, i64_fast, i64_fast, i64_fast, i64_fast], returns: i64_fast },
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, pointer, u32], returns: i32 },
  listen: { args: [i32, i32], returns: i32 },
  getsockname: { args: [i32, pointer, pointer], returns: i32 },
  connect: { args: [i32, pointer, u32], returns: i32 },
  shutdown: { args: [i32, i32], returns: i32 },
  send: { args: [i32, pointer, u64_fast, i32], returns: i64_fast },
  recv: { args: [i32, pointer, u64_fast, i32], returns: i64_fast },
  setsockopt: { args: [i32, i32, i32, pointer, u32], returns: i32 },
  ioctl: { args: [i32, u64_fast, pointer], returns: i32 },
  tcgetattr: { args: [i32, pointer], returns: i32 },
  tcsetattr: { args: [i32, i32, pointer], returns: i32 },
  umask: { args: [u32], returns: u32 },
  mknodat: { args: [i32, cstring, u32, u64_fast], returns: i32 },
  mkdirat: { args: [i32, cstring, u32], returns: i32 },
  symlinkat: { args: [cstring, i32, cstring], returns: i32 },
  linkat: { args: [i32, cstring, i32, cstring, i32], returns: i32 },
  unlinkat: { args: [i32, cstring, i32], returns: i32 },
  renameat2: { args: [i32, cstring, i32, cstring, u32], returns: i32 },
  readlinkat: { args: [i32, cstring, pointer, u64_fast], returns: i64_fast },
  fchownat: { args: [i32, cstring, u32, u32, i32], returns: i32 },
  fchmodat: { args: [i32, cstring, u32, i32], returns: i32 },
  fchmod: { args: [i32, u32], returns: i32 },
  fchown: { args: [i32, u32, u32], returns: i32 },
  utimensat: { args: [i32, cstring, pointer, i32], returns: i32 },
  futimens: { args: [i32, pointer], returns: i32 },
  lsetxattr: { args: [cstring, cstring, pointer, u64_fast, i32], returns: i32 },
  lgetxattr: { args: [cstring, cstring, pointer, u64_fast], returns: i64_fast },
  llistxattr: { args: [cstring, pointer, u64_fast], returns: i64_fast },
  lremovexattr: { args: [cstring, cstring], returns: i32 },
  fsetxattr: { args: [i32, cstring, pointer, u64_fast, i32], returns: i32 },
  fgetxattr: { args: [i32, cstring, pointer, u64_fast], returns: i64_fast },
  flistxattr: { args: [i32, pointer, u64_fast], returns: i64_fast },
  openat: { args: [i32, cstring, i32, u32], returns: i32 },
  fstatfs: { args: [i32, pointer], returns: i32 },
  statx: { args: [i32, cstring, i32, u32, pointer], returns: i32 },
  getdents64: { args: [i32, pointer, u64_fast], returns: i64_fast },
  copy_file_range: { args: [i32, pointer, i32, pointer, u64_fast, u32], returns: i64_fast },
  lseek: { args: [i32, i64_fast, i32], returns: i64_fast },
  ftruncate: { args: [i32, i64_fast], returns: i32 },
  pwrite: { args: [i32, pointer, u64_fast, i64_fast], returns: i64_fast },
  syncfs: { args: [i32], returns: i32 },
  close: { args: [i32], returns: i32 },
  read: { args: [i32, pointer, u64_fast], returns: i64_fast },
  write: { args: [i32, pointer, u64_fast], returns: i64_fast },
  kill: { args: [i32, i32], returns: i32 },
  prctl: { args: [i32, u64_fast, u64_fast, u64_fast, u64_fast], returns: i32 },
  getppid: { args: [], returns: i32 },
  if_nametoindex: { args: [cstring], returns: u32 },
  _exit: { args: [i32], returns: FFIType.void },
} as const satisfies Record<string, FFIFunction>

type Functions = Library<typeof SIGNATURES>["symbols"]

const c = Object.create(null) as Functions

// each is linked when it is first used: all of them would cost every command 0.4 ms
for (const name of Object.keys(SIGNATURES) as (keyof Functions)[])
  Object.defineProperty(c, name, {
    configurable: true,
    get() {
      const linked = dlopen("libc.so.6", { [name]: SIGNATURES[name] }).symbols[name]
      Object.defineProperty(c, name, { value: linked })
      return linked
    },
  })

/** The raw functions, for modules of `sys/` that add wrappers of their own; check each result with `check`. */
export const libc = c

/** A failed system call: what was tried, on what, and the kernel's reason. */
export class SystemError extends Error {
  readonly errno: number
  /** `ENOENT`, `EBUSY` …; also as `code`, as `node:fs` has it. */
  readonly errnoName: string
  readonly code: string

  constructor(call: string, errno: number, detail: string) {
    const name = errnoName(errno)
    super(`${call}${detail === "" ? "" : ` ${detail}`}: ${name}`)
    this.errno = errno
    this.errnoName = name
    this.code = name
  }
}

// linked at once: to do it after a call that failed would change what that left
const errnoLocation = c.__errno_location() as Pointer

/** The errno of the call just made. Nothing may stand between that call and this: no await, no log. */
export function lastErrno(): number {
  // the location belongs to the thread; FFI calls run on this one
  return read.i32(errnoLocation, 0)
}

/** Gives `result`, or throws the SystemError of `call` when it is negative. */
export function check(result: number | bigint, call: string, detail = ""): number {
  if (result < 0) throw new SystemError(call, lastErrno(), detail)
  return Number(result)
}

/** A C string. Throws EINVAL on an inner NUL, which would cut the path short. */
export function cString(text: string | Uint8Array): Uint8Array {
  const bytes = typeof text === "string" ? Buffer.from(text) : text
  if (bytes.includes(0)) throw new SystemError("path", 22, JSON.stringify(String(text)))
  const out = new Uint8Array(bytes.length + 1)
  out.set(bytes)
  return out
}

/** A NULL-terminated array of C strings, with what it points to (keep it alive until after the call). */
function cStringArray(texts: readonly string[]): { array: BigUint64Array; keep: Uint8Array[] } {
  const keep = texts.map(cString)
  const array = new BigUint64Array(keep.length + 1)
  keep.forEach((bytes, index) => (array[index] = BigInt(ptr(bytes))))
  return { array, keep }
}

/** Replaces this process (execve(2)); returns only by throwing. File descriptors without CLOEXEC stay open. */
export function execve(path: string, argv: readonly string[], env: Record<string, string | undefined>): never {
  const pairs = Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))
  const args = cStringArray(argv)
  const vars = cStringArray(pairs)
  const result = c.execve(cString(path), ptr(args.array), ptr(vars.array))
  const error = new SystemError("execve", lastErrno(), path)
  void [result, args.keep, vars.keep]
  throw error
}

/** pipe2(2), both ends close-on-exec: conmon would hold any other for the container's life. */
export function pipe(): { readEnd: number; writeEnd: number } {
  const ends = new Int32Array(2)
  check(c.pipe2(ptr(ends), O_CLOEXEC), "pipe2")
  return { readEnd: ends[0] ?? -1, writeEnd: ends[1] ?? -1 }
}

/** `target` is from now on what `fd` is (dup2(2)). Throws SystemError. */
export function duplicate(fd: number, target: number): void {
  check(c.dup2(fd, target), "dup2")
}

/** Closes a descriptor. An error is not told: nothing could be done about it. */
export function close(fd: number): void {
  c.close(fd)
}

/** Takes the lock without waiting; false when another holds it (flock(2)). Closing the descriptor, or dying, frees it. */
export function tryLock(fd: number, kind: "shared" | "exclusive" = "exclusive"): boolean {
  const result = c.flock(fd, (kind === "exclusive" ? LOCK_EX : LOCK_SH) | LOCK_NB)
  if (result === 0) return true
  const errno = lastErrno()
  if (errno === EWOULDBLOCK) return false
  throw new SystemError("flock", errno, "")
}

/**
 * Lets go of a lock and closes its descriptor. Closing alone is not enough: execve(2) resumes the parent of a vfork before it
 * closes the child's copies, so a program that was just started would hold the lock for a moment after us.
 */
export function unlockAndClose(fd: number): void {
  unlock(fd)
  close(fd)
}

/** Lets go of a lock, for all copies of the descriptor. */
export function unlock(fd: number): void {
  check(c.flock(fd, LOCK_UN), "flock")
}

/** Leaves the descriptor open in what this process becomes by execve(2); programs that it starts do not get it by that. */
export function keepOnExec(fd: number): void {
  check(c.fcntl(fd, F_SETFD, 0), "fcntl")
}

/** The same, of a descriptor that may not be open: nothing then. */
export function keepOnExecIfOpen(fd: number): void {
  c.fcntl(fd, F_SETFD, 0)
}

/** Takes the exclusive lock, waiting for it. Blocks the whole process: only for what others hold for a few milliseconds. */
export function lockFile(fd: number): void {
  check(c.flock(fd, LOCK_EX), "flock")
}

/** Sends `signal` to a process; false when there is none. A negative pid means its process group. */
export function sendSignal(pid: number, signal: number): boolean {
  const result = c.kill(pid, signal)
  if (result === 0) return true
  const errno = lastErrno()
  if (errno === ESRCH) return false
  throw new SystemError("kill", errno, `${pid}`)
}

/** Ends the process at once: no exit handlers, no flush. */
export function exitNow(code: number): never {
  c._exit(code)
  throw new Error("unreachable")
}

const F_SETFD = 2
const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4
const LOCK_UN = 8
const EWOULDBLOCK = 11
const ESRCH = 3
/** open(2): no program that is started later has the descriptor. */
export const O_CLOEXEC = 0o2000000
/** open(2): a handle on the name alone; nothing is opened, no device is touched. */
export const O_PATH = 0o10000000
/** open(2): ENOTDIR for anything but a directory. The numbers differ on arm64. */
export const O_DIRECTORY = process.arch === "arm64" ? 0o40000 : 0o200000
/** open(2): ELOOP for a link as the last name. The numbers differ on arm64. */
export const O_NOFOLLOW = process.arch === "arm64" ? 0o100000 : 0o400000
/** Opens a directory for reading, and no link to one. */
export const OPEN_DIRECTORY = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
/** open(2): a FIFO is not waited for. */
export const O_NONBLOCK = 0o4000
/** openat(2): relative to the working directory. */
export const AT_FDCWD = -100
/** fstatat(2): the link itself. */
export const AT_SYMLINK_NOFOLLOW = 0x100
/** unlinkat(2): as rmdir. */
export const AT_REMOVEDIR = 0x200
/** fstatat(2): the descriptor itself, by an empty name. */
export const AT_EMPTY_PATH = 0x1000
