import type { OciSeccomp, OciSyscall, OciSyscallArg } from "../../spec/oci-runtime.ts"
import type { SeccompTarget } from "./seccomp-target.ts"

/**
 * What the distribution's profile (it is Podman's) allows and Docker's does not, or what has let containers reach the
 * kernel since: refused with EPERM (CVE-2016-5195, CVE-2022-0185, CVE-2022-0847, CVE-2026-31431).
 *
 * Nobody gets them: the keyrings are not namespaced; userfaultfd and io_uring have been a way into the kernel year after
 * year.
 */
const NEVER = [
  "add_key",
  "io_uring_enter",
  "io_uring_register",
  "io_uring_setup",
  "keyctl",
  "request_key",
  "userfaultfd",
]

/**
 * Only with CAP_SYS_ADMIN of the container. In a user namespace of its own a program has that capability, so with
 * `unshare` allowed the kernel's whole mount and network code would be open to it (2022-0185 was in `fsconfig`).
 */
const FOR_ADMIN = [
  "fsconfig",
  "fsmount",
  "fsopen",
  "fspick",
  "mount",
  "mount_setattr",
  "move_mount",
  "open_tree",
  "pivot_root",
  "quotactl_fd",
  "setns",
  "umount",
  "umount2",
  "unshare",
]

/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}: clone(2) would do what unshare(2) may not. */
const NAMESPACE_FLAGS = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]

const AF_ALG = 38 // the kernel's crypto, on pages of the page cache that layers share (2026-31431)
const AF_VSOCK = 40 // not namespaced: reaches the hypervisor, or the host of our host
// equality only: beyond 32 bits a `greater than` would let 2^32 + 38 pass, which the kernel reads as 38
const ABOVE_AF_ALG = [39, 41, 42, 43, 44] // nfc, kcm, qipcrtr, smc, xdp
const AF_NETLINK = 16
const NETLINK_AUDIT = 9

const EPERM = 1
const EINVAL = 22
const ENOSYS = 38

const deny = (names: string[], args?: OciSyscallArg[], errnoRet = EPERM): OciSyscall => ({
  names,
  action: "SCMP_ACT_ERRNO",
  errnoRet,
  ...(args && { args }),
})
const allow = (names: string[], args?: OciSyscallArg[]): OciSyscall => ({
  names,
  action: "SCMP_ACT_ALLOW",
  ...(args && { args }),
})
const argument = (index: number, op: string, value: number, valueTwo = 0): OciSyscallArg => ({
  index,
  value,
  valueTwo,
  op: `SCMP_CMP_${op}`,
})

/** The profile with the rules above in place of those of the same system calls. Pure. */
export function tighten(profile: OciSeccomp, target: SeccompTarget): OciSeccomp {
  const has = (capability: string): boolean => target.capabilities.includes(capability)
  const own: OciSyscall[] = [
    deny(NEVER),
    ...(has("CAP_SYS_ADMIN") ? [] : [deny(FOR_ADMIN), ...cloneRules()]),
    ...(has("CAP_SYSLOG") || has("CAP_SYS_ADMIN") ? [] : [deny(["syslog"])]),
    ...(target.uses32BitSockets ? [] : socketRules(has("CAP_AUDIT_WRITE"))),
  ]
  const replaced = new Set(own.flatMap((rule) => rule.names))
  const kept = profile.syscalls
    .map((rule) => ({ ...rule, names: rule.names.filter((name) => !replaced.has(name)) }))
    .filter((rule) => rule.names.length > 0)
  // 32-bit x86 makes sockets by `socketcall`, whose arguments lie in memory, where no filter sees them; and libseccomp
  // allows it wherever `socket` is. So that architecture is open to images made for it only
  const architectures = profile.architectures.filter(
    (name) => target.uses32BitSockets || (name !== "SCMP_ARCH_X86" && name !== "SCMP_ARCH_X32"),
  )
  return { ...profile, architectures, syscalls: [...kept, ...own] }
}

function cloneRules(): OciSyscall[] {
  const all = NAMESPACE_FLAGS.reduce((sum, flag) => sum + flag, 0)
  return [
    allow(["clone"], [argument(0, "MASKED_EQ", all, 0)]),
    ...NAMESPACE_FLAGS.map((flag) => deny(["clone"], [argument(0, "MASKED_EQ", flag, flag)])),
    // its flags lie in memory; at ENOSYS the C libraries go on with clone(2)
    deny(["clone3"], undefined, ENOSYS),
  ]
}

function socketRules(mayAudit: boolean): OciSyscall[] {
  const families = [
    argument(0, "LT", mayAudit ? AF_ALG : AF_NETLINK),
    ...Array.from({ length: mayAudit ? 0 : AF_ALG - AF_NETLINK - 1 }, (_, index) =>
      argument(0, "EQ", AF_NETLINK + 1 + index),
    ),
    ...ABOVE_AF_ALG.map((family) => argument(0, "EQ", family)),
  ]
  return [
    ...families.map((family) => allow(["socket"], [family])),
    // as the distribution's profile: programs take EINVAL for a kernel without audit, and go on
    ...(mayAudit
      ? []
      : [
          allow(["socket"], [argument(0, "EQ", AF_NETLINK), argument(2, "NE", NETLINK_AUDIT)]),
          deny(["socket"], [argument(0, "EQ", AF_NETLINK), argument(2, "EQ", NETLINK_AUDIT)], EINVAL),
        ]),
    ...[AF_ALG, AF_VSOCK].map((family) => deny(["socket"], [argument(0, "EQ", family)])),
  ]
}
