/** ID-mapped mounts (mount_setattr(2)): files whose owners are others than on disk. Linux 5.12, a file system that can, root of the host. */
import { closeSync, openSync, writeFileSync } from "node:fs"
import { ptr } from "bun:ffi"
import { setTimeout as sleep } from "node:timers/promises"
import { findProgram } from "../host.ts"
import { AT_FDCWD, check, close, cString, libc, O_CLOEXEC, O_PATH, pipe } from "../libc.ts"
import { isSameNamespace } from "../process/namespace-file.ts"
import { spawnProcess, type Pid } from "../process/process.ts"

// the same on x86-64 and arm64
const SYS_OPEN_TREE = 428
const SYS_MOVE_MOUNT = 429
const SYS_MOUNT_SETATTR = 442
const OPEN_TREE_CLONE = 1
const AT_EMPTY_PATH = 0x1000
const AT_RECURSIVE = 0x8000
const MOVE_MOUNT_F_EMPTY_PATH = 4
const MOUNT_ATTR_RDONLY = 1n
const MOUNT_ATTR_IDMAP = 0x100000n
const EMPTY = cString("")
const POLL_MS = 1
const MOST_POLLS = 2_000

/** Text of uid_map and gid_map: `ID-on-disk ID-as-seen COUNT` a line. */
export interface IdMapTexts {
  uids: string
  gids: string
}

/**
 * Mounts the open directory at `target`, read-only, so that files of `owner` are root's there and no other owner is known.
 * Throws SystemError.
 */
export async function mountAsRoots(fd: number, target: string, owner: { uid: number; gid: number }): Promise<void> {
  const namespace = await openUserNamespace({ uids: `${owner.uid} 0 1`, gids: `${owner.gid} 0 1` })
  try {
    mountMapped(fd, target, namespace, { readOnly: true })
  } finally {
    closeSync(namespace)
  }
}

/** Mounts the directory or file `source` at `target` with the owners that its ids are in the open user namespace. Throws SystemError. */
export function mountFilesMapped(source: string, target: string, userNamespace: number): void {
  const fd = check(libc.openat(AT_FDCWD, cString(source), O_PATH | O_CLOEXEC, 0), "open", source)
  try {
    mountMapped(fd, target, userNamespace, { readOnly: false })
  } finally {
    closeSync(fd)
  }
}

function mountMapped(fd: number, target: string, userNamespace: number, { readOnly }: { readOnly: boolean }): void {
  using fds = new DisposableStack()
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH
  const tree = fds.adopt(check(Number(libc.syscall(SYS_OPEN_TREE, fd, ptr(EMPTY), flags, 0, 0)), "open_tree"), close)
  // struct mount_attr: set, clear, propagation, user namespace
  const set = MOUNT_ATTR_IDMAP | (readOnly ? MOUNT_ATTR_RDONLY : 0n)
  const attributes = new BigUint64Array([set, 0n, 0n, BigInt(userNamespace)])
  const how = AT_EMPTY_PATH | AT_RECURSIVE
  check(
    Number(libc.syscall(SYS_MOUNT_SETATTR, tree, ptr(EMPTY), how, ptr(attributes), attributes.byteLength)),
    "mount_setattr",
  )
  const place = cString(target)
  check(
    Number(libc.syscall(SYS_MOVE_MOUNT, tree, ptr(EMPTY), AT_FDCWD, ptr(place), MOVE_MOUNT_F_EMPTY_PATH)),
    "move_mount",
    target,
  )
}

/** A new user namespace with these maps; the descriptor alone holds it, and the caller closes it. Throws errno errors. */
export async function openUserNamespace({ uids, gids }: IdMapTexts): Promise<number> {
  const { readEnd, writeEnd } = pipe()
  // it lives until the other end closes, with ours at the latest
  const child = spawnProcess([findProgram("unshare") ?? "unshare", "--user", "--", "/bin/sh", "-c", "read -r _"], {
    stdio: [readEnd, "ignore", "ignore"],
    detached: true,
  })
  close(readEnd)
  try {
    await hasLeft(child.pid)
    writeFileSync(`/proc/${child.pid}/uid_map`, uids)
    writeFileSync(`/proc/${child.pid}/gid_map`, gids)
    return openSync(`/proc/${child.pid}/ns/user`, O_CLOEXEC)
  } finally {
    close(writeEnd)
    await child.exited
  }
}

/** Waits until the process is in a user namespace of its own. */
async function hasLeft(pid: Pid): Promise<void> {
  for (let polls = 0; isSameNamespace(`/proc/${pid}/ns/user`, "/proc/self/ns/user"); polls++) {
    if (polls > MOST_POLLS) throw new Error("unshare(1) made no user namespace")
    await sleep(POLL_MS)
  }
}
