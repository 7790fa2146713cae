import type { Transform } from "node:stream"
import type { Bytes } from "../base/bytes.ts"
import { DataLoss, SkiffError, Unsupported } from "../base/errors.ts"
import { installCommand } from "../sys/install-command.ts"
import { countPassed } from "../sys/process/free-memory.ts"
import { ZstdFrames } from "./zstd-frames.ts"

/** What layers and archives come in. */
export type Compression = "gzip" | "zstd" | "xz" | "bzip2" | "none"

/** Of what comes out. Larger ones are no faster, and several streams at once hold some of them each. */
const CHUNK_BYTES = 128 * 1024
/** The longest magic number. */
export const MAGIC_BYTES = 6

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
]

/** What `head`, the first bytes of a stream, is compressed by. Media types lie; magic numbers do not. */
export function detectCompression(head: Uint8Array): Compression {
  if (isZstdSkippable(head)) return "zstd"
  return MAGIC.find(([, magic]) => magic.every((byte, index) => head[index] === byte))?.[0] ?? "none"
}

/** RFC 8878, 3.1.2: zstd:chunked streams may begin with such a frame. */
function isZstdSkippable(head: Uint8Array): boolean {
  return (head[0] ?? 0) >> 4 === 5 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18
}

/** Decompresses by what the first bytes tell. A chunk of `compressed` is used up when the next is asked for. Throws DataLoss when truncated or damaged. */
export async function* decompress(compressed: Bytes): Bytes {
  const { head, all } = await peek(compressed)
  const compression = detectCompression(head)
  if (compression === "none") yield* all
  else if (compression === "xz" || compression === "bzip2") yield* decompressByTool(compression, all)
  else yield* inflate(compression, all)
}

/** Of Bun's zlib: 7 % larger than by level 6, in a fifth of its time; level 1 needs half of that, and a fifth more space. */
export const GZIP_LEVEL = 2

/** Compresses; the same bytes give the same bytes, on every machine with the same zlib. */
export async function* compress(bytes: Bytes, compression: "gzip" | "zstd", level?: number): Bytes {
  const { constants, createGzip, createZstdCompress } = await import("node:zlib")
  const chunkSize = CHUNK_BYTES
  const stream: Transform =
    compression === "gzip"
      ? createGzip({ level: level ?? GZIP_LEVEL, chunkSize })
      : createZstdCompress({
          chunkSize,
          ...(level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } }),
        })
  const fed = feed(bytes, stream)
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
    await fed
  } finally {
    stream.destroy()
  }
}

/** Decompresses by what is known of the bytes. Throws DataLoss when truncated or damaged. */
export async function* inflate(compression: "gzip" | "zstd", compressed: Bytes): Bytes {
  const { createGunzip, createZstdDecompress } = await import("node:zlib")
  const options = { chunkSize: CHUNK_BYTES }
  const stream: Transform = compression === "gzip" ? createGunzip(options) : createZstdDecompress(options)
  const frames = compression === "zstd" ? new ZstdFrames() : undefined
  let sourceError: unknown
  const source = async function* (): Bytes {
    try {
      for await (const chunk of compressed) {
        frames?.write(chunk)
        yield chunk
      }
    } catch (error) {
      sourceError = error
      throw error
    }
  }
  const fed = feed(source(), stream)
  try {
    for await (const chunk of stream) {
      yield chunk as Uint8Array
      countPassed((chunk as Uint8Array).length)
    }
    await fed
    frames?.finish()
  } catch (error) {
    if (sourceError !== undefined) throw sourceError
    if (error instanceof SkiffError) throw error
    throw new DataLoss(`the ${compression} stream is truncated or damaged`, { hint: "fetch it again", cause: error })
  } finally {
    stream.destroy()
  }
}

/**
 * Writes the source into the stream, a chunk when the one before is used up: it may then be overwritten. Rejects with what
 * failed, which the reader of the stream sees first; it may be awaited late.
 */
function feed(source: Bytes, stream: Transform): Promise<void> {
  const write = (chunk: Uint8Array) =>
    new Promise<void>((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())))
  const fed = (async () => {
    try {
      for await (const chunk of source) await write(chunk)
      stream.end()
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  })()
  fed.catch(() => {})
  return fed
}

// the host's own, by absolute path: never one found in an image, nor by PATH (CVE-2014-9357)
const TOOLS = {
  xz: ["/usr/bin/xz", "--decompress", "--stdout", "--quiet", "--memlimit-decompress=192MiB"],
  bzip2: ["/usr/bin/bzip2", "--decompress", "--stdout", "--quiet"],
}
const SETPRIV = "/usr/bin/setpriv"
const NOBODY = 65534

/**
 * setpriv(1): a stranger's bytes are parsed by C code that was broken before, so it is nobody's process, without a capability
 * and without a way to one. Where nobody has no id it is ours, which as root of a namespace has no capability either.
 */
async function withoutPrivileges(argv: readonly string[]): Promise<string[]> {
  const { hasCapability, ourPrivilege } = await import("../sys/rootless/privilege.ts")
  const isOnlyId = ourPrivilege() === "rootless-single-id"
  const mayBeNobody = !isOnlyId && hasCapability("SETUID") && hasCapability("SETGID")
  const flags = mayBeNobody
    ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--inh-caps=-all"]
    : isOnlyId
      ? ["--securebits=+noroot,+noroot_locked", "--bounding-set=-all", "--inh-caps=-all"]
      : []
  return [SETPRIV, "--no-new-privs", "--pdeathsig=KILL", ...flags, "--", ...argv]
}

async function* decompressByTool(compression: "xz" | "bzip2", compressed: Bytes): Bytes {
  const { existsSync } = await import("node:fs")
  const tool = TOOLS[compression]
  if (!existsSync(tool[0] ?? ""))
    throw new Unsupported(`the stream is compressed by ${compression}, and ${tool[0]} is missing`, {
      hint: installCommand(
        compression === "xz"
          ? { debian: "xz-utils", fedora: "xz", alpine: "xz", arch: "xz", suse: "xz" }
          : { debian: "bzip2" },
      ),
    })
  if (!existsSync(SETPRIV))
    throw new Unsupported(`the stream is compressed by ${compression}, and ${SETPRIV} is missing`, {
      hint: installCommand({ debian: "util-linux", alpine: "setpriv" }),
    })
  const { spawn } = await import("node:child_process")
  const { pipeline } = await import("node:stream/promises")
  const [program = "", ...words] = await withoutPrivileges(tool)
  const child = spawn(program, words, { cwd: "/", env: {}, stdio: ["pipe", "pipe", "ignore"] })
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve))
  let sourceError: unknown
  // a tool that ends early closes its input: its exit code tells more than EPIPE
  const fed = pipeline(compressed, child.stdin).catch((error: unknown) => (sourceError = error))
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array
    const code = await exited
    await fed
    if (sourceError instanceof SkiffError) throw sourceError
    if (code !== 0)
      throw new DataLoss(`the ${compression} stream is truncated, damaged or needs too much memory`, {
        hint: "fetch it again",
      })
  } finally {
    child.kill("SIGKILL")
  }
}

/** Reads enough to know the magic number, and gives the whole stream back. */
async function peek(bytes: Bytes): Promise<{ head: Uint8Array; all: Bytes }> {
  const iterator = bytes[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let length = 0
  while (length < MAGIC_BYTES) {
    const { done, value } = await iterator.next()
    if (done) break
    first.push(value)
    length += value.length
  }
  async function* all(): Bytes {
    try {
      yield* first
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  }
  return { head: Buffer.concat(first), all: all() }
}
