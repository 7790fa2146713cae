import { closeSync, openSync, readSync } from "node:fs"
import { InvalidArgument } from "../../base/errors.ts"
import type { KubeFile } from "../../kube/kube.ts"
import { standardInput } from "../../sys/terminal/standard-input.ts"
import { UsageError } from "../errors/usage-error.ts"
import { fileFailure } from "../file-failure.ts"

/** A little more than the reader of documents takes: it says what is too much. */
const MAX_BYTES = 8 * 1024 ** 2 + 1

/** The texts that a command names: files, addresses, or `-` alone for standard input. Throws UsageError, Unavailable. */
export async function readKubeFiles(names: readonly string[], signal?: AbortSignal): Promise<KubeFile[]> {
  if (names.length > 1 && names.includes("-")) throw new UsageError('"-" stands alone: standard input is one file')
  const files: KubeFile[] = []
  for (const name of names)
    files.push({ name: name === "-" ? "standard input" : name, bytes: await bytesOf(name, signal) })
  return files
}

async function bytesOf(name: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (name === "-") return bounded(standardInput(), "standard input")
  if (!/^https?:\/\//.test(name)) return readLocal(name)
  const { download } = await import("../../sys/net/download.ts")
  return bounded(download(name, signal === undefined ? {} : { signal }), name)
}

async function bounded(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > MAX_BYTES) throw new InvalidArgument(`${name} is larger than ${MAX_BYTES - 1} bytes`)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

function readLocal(path: string): Uint8Array {
  try {
    const fd = openSync(path, "r")
    try {
      const parts: Uint8Array[] = []
      for (let size = 0; size <= MAX_BYTES;) {
        const part = Buffer.alloc(64 * 1024)
        const count = readSync(fd, part)
        if (count === 0) break
        size += count
        parts.push(part.subarray(0, count))
      }
      return Buffer.concat(parts)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw new InvalidArgument(`cannot read "${path}": ${fileFailure(error)}`, { cause: error })
  }
}
