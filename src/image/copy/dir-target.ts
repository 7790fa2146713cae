import { mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { AlreadyExists } from "../../base/errors.ts"
import { digestHex } from "../../spec/digest.ts"
import type { CopyTarget } from "./copy-target.ts"
import { writeBlob } from "./directory-blobs.ts"

const VERSION = "version"

/** A `dir:` directory: each blob by its hex digits, `manifest.json`, and those that it names as `HEX.manifest.json`. */
export function dirTarget(path: string): CopyTarget {
  mkdirSync(path, { recursive: true })
  const there = readdirSync(path)
  if (there.length > 0 && !there.includes(VERSION))
    throw new AlreadyExists(`the directory "${path}" has other files in it`, {
      hint: "name another, or remove it first",
    })
  const write = (name: string, content: string | Uint8Array) => atomicWrite(join(path, name), content, { mode: 0o644 })
  write(VERSION, "Directory Transport Version: 1.1\n")
  return {
    blob: (blob) => writeBlob(join(path, digestHex(blob.descriptor.digest)), blob),
    child: async ({ descriptor, bytes }) => write(`${digestHex(descriptor.digest)}.manifest.json`, bytes),
    commit: async ({ bytes }) => write("manifest.json", bytes),
  }
}
