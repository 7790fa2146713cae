import { check, libc } from "../libc.ts"

// linux/magic.h
const KERNEL_FILE_SYSTEMS = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x1cd1, // devpts
  0x19800202, // mqueue
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0xcafe4a11, // bpf
  0xde5e81e4, // efivarfs
  0x62656570, // configfs
  0x42494e4d, // binfmt_misc
  0xf97cff8c, // selinuxfs
  0x6165676c, // pstore
  0x65735543, // fusectl
  0x6e736673, // nsfs
])
const buffer = Buffer.alloc(256) // struct statfs: f_type first

/**
 * Whether what is open (also by O_PATH) lies on a file system whose files are the kernel's: reading one may take for ever, and
 * writing to one changes the host.
 */
export function isOfKernel(fd: number): boolean {
  check(libc.fstatfs(fd, buffer), "fstatfs")
  return KERNEL_FILE_SYSTEMS.has(buffer.readUInt32LE(0))
}
