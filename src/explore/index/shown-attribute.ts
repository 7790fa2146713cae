/** linux/capability.h, by their numbers. */
const CAPABILITIES = (
  "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service " +
  "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin " +
  "sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override " +
  "mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
).split(" ")

const MAX_SHOWN_BYTES = 256

/** The value of an extended attribute for people: capabilities as setcap(8) writes them, text as text, all else in hex. */
export function shownAttribute(name: string, value: Uint8Array): string {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (name === "security.capability") return shownCapabilities(bytes) ?? bytes.toString("hex")
  const text = bytes.subarray(0, MAX_SHOWN_BYTES).toString("latin1").replace(/\0$/, "")
  const shown = /^[\x20-\x7e]*$/.test(text) ? text : bytes.subarray(0, MAX_SHOWN_BYTES).toString("hex")
  return bytes.length > MAX_SHOWN_BYTES ? `${shown}…`.replace("…", "...") : shown
}

/** struct vfs_cap_data of revisions 2 and 3. */
function shownCapabilities(bytes: Buffer): string | undefined {
  if (bytes.length < 20) return undefined
  const effective = (bytes.readUInt32LE(0) & 1) === 1
  const set = (at: number) => BigInt(bytes.readUInt32LE(at)) | (BigInt(bytes.readUInt32LE(at + 8)) << 32n)
  const [permitted, inheritable] = [set(4), set(8)]
  const words = new Map<string, string[]>()
  for (const [number, name] of CAPABILITIES.entries()) {
    const bit = 1n << BigInt(number)
    const how = `${(permitted & bit) === 0n ? "" : effective ? "ep" : "p"}${(inheritable & bit) === 0n ? "" : "i"}`
    if (how !== "") words.set(how, [...(words.get(how) ?? []), `cap_${name}`])
  }
  return [...words].map(([how, names]) => `${names.join(",")}=${how}`).join(" ")
}
