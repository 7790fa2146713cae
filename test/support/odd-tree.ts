/** A tree with one of each thing that a copy of files gets wrong. */
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  ftruncateSync,
  lutimesSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { setAttribute } from "../../src/sys/fs/xattr.ts"

/** Where the data of the sparse file lies. */
export const SPARSE = { name: "sparse", sizeBytes: 64 * 1024 * 1024, dataAt: 33 * 1024 * 1024 }

/** Fills the directory; `ids`: somebody whose files may be there. `devices`: with a device node. */
export function makeOddTree(root: string, ids: { uid: number; gid: number }, { devices = false } = {}): void {
  const at = (name: string): string => join(root, name)
  mkdirSync(at("directory/inner"), { recursive: true })
  writeFileSync(at("directory/file"), "content\n", { mode: 0o640 })
  linkSync(at("directory/file"), at("second-name"))
  symlinkSync("../../../../etc/passwd", at("link"))
  writeFileSync(at("set-id"), "#!/bin/sh\n")
  chownSync(at("set-id"), ids.uid, ids.gid)
  chmodSync(at("set-id"), 0o6755)
  const name = Buffer.from([0x6f, 0x64, 0x64, 0xff, 0x20, 0x0a])
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), "a name that is no UTF-8")
  writeFileSync(at("attributes"), "x")
  setAttribute(at("attributes"), "user.binary", Buffer.from([0, 1, 0xff, 0x0a, 0x3d]))
  setAttribute(at("directory"), "user.note", Buffer.from("of a directory"))
  setAttribute(at("attributes"), "system.posix_acl_access", accessList(ids.uid))
  setAttribute(at("directory"), "system.posix_acl_default", accessList(ids.uid))
  const fd = openSync(at(SPARSE.name), "w")
  ftruncateSync(fd, SPARSE.sizeBytes)
  writeSync(fd, "in the middle", SPARSE.dataAt)
  closeSync(fd)
  spawnSync("mkfifo", ["-m", "0604", at("fifo")])
  if (devices) spawnSync("mknod", [at("device"), "c", "1", "7"])
  chmodSync(at("directory/inner"), 0o1777)
  chownSync(at("directory/inner"), ids.uid, ids.gid)
  lutimesSync(at("link"), 1_000_000_000.25, 1_000_000_000.25)
  utimesSync(at("directory/file"), 1_234_567_890.123456, 1_234_567_890.123456)
  utimesSync(at("directory"), 1_111_111_111.5, 1_111_111_111.5)
}

/** A POSIX ACL (linux/posix_acl_xattr.h): owner rwx, user `uid` r-x, group r--, mask r-x, others none. */
function accessList(uid: number): Buffer {
  const entries: [tag: number, permissions: number, id: number][] = [
    [0x01, 7, 0xffffffff],
    [0x02, 5, uid],
    [0x04, 4, 0xffffffff],
    [0x10, 5, 0xffffffff],
    [0x20, 0, 0xffffffff],
  ]
  const bytes = Buffer.alloc(4 + entries.length * 8)
  bytes.writeUInt32LE(2, 0)
  entries.forEach(([tag, permissions, id], index) => {
    bytes.writeUInt16LE(tag, 4 + index * 8)
    bytes.writeUInt16LE(permissions, 6 + index * 8)
    bytes.writeUInt32LE(id, 8 + index * 8)
  })
  return bytes
}
