/** All that a tree is, so that two of them can be compared byte for byte. */
import { createHash } from "node:crypto"
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { getAttribute, listAttributes } from "../../src/sys/fs/xattr.ts"

/** A line for each file: kind, mode, owner, size, time to the nanosecond, device, attributes, content, and the names it shares. */
export function treeFacts(root: string): string[] {
  const firstNames = new Map<bigint, string>()
  const facts: string[] = []
  const look = (path: Buffer): void => {
    const stat = lstatSync(path, { bigint: true })
    const name = path.subarray(root.length).toString("latin1")
    const shared = stat.nlink > 1n && !stat.isDirectory() ? firstNames.get(stat.ino) : undefined
    if (shared === undefined) firstNames.set(stat.ino, name)
    const owner = `${stat.uid}:${stat.gid}`
    const size = stat.isFile() ? stat.size : 0n
    const what = [name, stat.mode.toString(8), owner, size, stat.mtimeNs, stat.rdev, contentOf(path), shared]
    facts.push([...what, ...attributesOf(path)].join(" "))
    if (!stat.isDirectory()) return
    const names = readdirSync(path, { encoding: "buffer" }).toSorted((a, b) => Buffer.compare(a, b))
    for (const each of names) look(Buffer.concat([path, Buffer.from("/"), each]))
  }
  look(Buffer.from(root))
  return facts
}

function contentOf(path: Buffer): string {
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) return readlinkSync(path)
  return stat.isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16) : ""
}

function attributesOf(path: Buffer): string[] {
  const cPath = Buffer.concat([path, Buffer.alloc(1)])
  const names = listAttributes(cPath).toSorted()
  return names.map((name) => `${name}=${getAttribute(cPath, name)?.toString("hex")}`)
}

/** Bytes on disk of one file. */
export function allocated(path: string): number {
  return lstatSync(path).blocks * 512
}
