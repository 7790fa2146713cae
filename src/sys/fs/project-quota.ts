/** Limits of a directory by a project of its file system: xfs_quota(8), ext4's `project` feature; quotactl_fd(2), Linux 5.14. */
import { ptr } from "bun:ffi"
import { openRawInRoot, openRoot } from "./confined.ts"
import { close, lastErrno, libc, O_DIRECTORY, SystemError } from "../libc.ts"

const FS_IOC_FSGETXATTR = 0x801c581f
const FS_IOC_FSSETXATTR = 0x401c5820
const FS_XFLAG_PROJINHERIT = 0x200
const SYS_QUOTACTL_FD = 443
/** QCMD(Q_SETQUOTA, PRJQUOTA) of sys/quota.h. */
const SET_PROJECT_QUOTA = (0x800008 << 8) | 2
const QIF_BLIMITS = 1
const QIF_ILIMITS = 4
const BLOCK_BYTES = 1024

/** How much there may be in a project; absent: as much as one likes. */
export interface ProjectLimits {
  sizeBytes?: number
  inodes?: number
}

/** Puts the directory, and all that is made in it, into a project with these limits. Throws SystemError. Safe to repeat. */
export function limitProject(path: string, projectId: number, limits: ProjectLimits): void {
  const root = openRoot(path)
  const fd = openRawInRoot(root, ".", O_DIRECTORY)
  close(root)
  try {
    setLimits(fd, projectId, limits)
    setProject(fd, projectId)
  } finally {
    close(fd)
  }
}

function setLimits(fd: number, projectId: number, { sizeBytes, inodes }: ProjectLimits): void {
  // struct if_dqblk: hard and soft limit of blocks, blocks, hard and soft of inodes, inodes, two times, what is valid
  const limits = new BigUint64Array(9)
  limits[0] = limits[1] = BigInt(Math.ceil((sizeBytes ?? 0) / BLOCK_BYTES))
  limits[3] = limits[4] = BigInt(inodes ?? 0)
  new Uint32Array(limits.buffer)[16] = QIF_BLIMITS | QIF_ILIMITS
  const result = Number(libc.syscall(SYS_QUOTACTL_FD, fd, SET_PROJECT_QUOTA, projectId, ptr(limits), 0))
  if (result !== 0) throw new SystemError("quotactl", lastErrno(), `project ${projectId}`)
}

function setProject(fd: number, projectId: number): void {
  // struct fsxattr: flags, extent size, extents, project, copy-on-write extent size, 8 bytes of nothing
  const attributes = new Uint32Array(7)
  call(fd, FS_IOC_FSGETXATTR, attributes)
  attributes[0] = (attributes[0] ?? 0) | FS_XFLAG_PROJINHERIT
  attributes[3] = projectId
  call(fd, FS_IOC_FSSETXATTR, attributes)
}

function call(fd: number, request: number, attributes: Uint32Array): void {
  if (libc.ioctl(fd, request, ptr(attributes)) < 0) throw new SystemError("ioctl", lastErrno(), "project")
}
