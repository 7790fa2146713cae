import { readFileSync } from "node:fs"

/** By their bits in the kernel's sets (linux/capability.h). */
export const CAPABILITY_BITS = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
  .split(" ")
  .map((name) => `CAP_${name}`)

/** Names of a set as /proc/PID/status shows it, 16 hex digits. Pure. */
export function capabilitiesOf(mask: string): string[] {
  const bits = BigInt(`0x${mask === "" ? "0" : mask}`)
  return CAPABILITY_BITS.filter((_, bit) => (bits >> BigInt(bit)) & 1n)
}

/** The sets of a process, sorted by name; undefined when it has ended. */
export function processCapabilities(pid: number): { effective: string[]; bounding: string[] } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1")
    const set = (name: string) =>
      capabilitiesOf(new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "").toSorted()
    return { effective: set("CapEff"), bounding: set("CapBnd") }
  } catch {
    return undefined // it has just ended
  }
}
