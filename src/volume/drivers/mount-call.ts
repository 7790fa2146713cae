import { isIP } from "node:net"
import { MountFlag, type Mount } from "../../sys/fs/mount.ts"
import type { MountedVolume } from "../volume-options.ts"

/** Words of mount(8) and their flags of mount(2); of the second of two, the flag is taken away. */
const FLAGS: Readonly<Record<string, number>> = {
  ro: MountFlag.readOnly,
  nosuid: MountFlag.noSuid,
  nodev: MountFlag.noDev,
  noexec: MountFlag.noExec,
  sync: 16,
  mand: 64,
  dirsync: 128,
  noatime: 1024,
  nodiratime: 2048,
  bind: MountFlag.bind,
  rbind: MountFlag.bind | MountFlag.recursive,
  silent: 1 << 15,
  relatime: 1 << 21,
  strictatime: 1 << 24,
  lazytime: 1 << 25,
}
const OPPOSITES: Readonly<Record<string, string>> = {
  rw: "ro",
  suid: "nosuid",
  dev: "nodev",
  exec: "noexec",
  async: "sync",
  atime: "noatime",
  diratime: "nodiratime",
}

/**
 * The call of mount(2) that docker's local driver makes of these options: flags by their words, all else as data in its order. The kernel
 * resolves no names: `addr=` of network file systems has to be an address, and `address` is what its name means. Pure.
 */
export function mountCall({ type, device, words }: MountedVolume, address?: string): Mount {
  let flags = 0
  const data: string[] = []
  for (const word of words) {
    const opposite = OPPOSITES[word]
    if (word === "defaults") continue
    if (Object.hasOwn(FLAGS, word)) flags |= FLAGS[word] ?? 0
    else if (opposite !== undefined) flags &= ~(FLAGS[opposite] ?? 0)
    else data.push(address !== undefined && word.startsWith("addr=") ? `addr=${address}` : word)
  }
  return { type, source: device, data, flags }
}

/** The name that has to be looked up before the call; undefined when there is none. */
export function hostToResolve({ type, words }: MountedVolume): string | undefined {
  if (!/^(?:nfs4?|cifs|smb3)$/.test(type)) return undefined
  const host = words.find((word) => word.startsWith("addr="))?.slice("addr=".length)
  return host === undefined || isIP(host) > 0 ? undefined : host
}
