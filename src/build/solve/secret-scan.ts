import { TarReader } from "../../archive/tar-reader.ts"
import type { Bytes } from "../../base/bytes.ts"
import { shownName } from "../../sys/fs/raw-name.ts"

/** A secret that a step could read. */
export interface StepSecret {
  /** As `--mount=type=secret,id=` names it. */
  id: string
  bytes: Uint8Array
}

/** A secret in a layer. */
export interface FoundSecret {
  id: string
  /** In quotes; undefined where it is no file's content, but a name or an attribute. */
  file: string | undefined
}

/** Shorter ones (a PIN, `true`) are in many files by chance. */
const LEAST_BYTES = 8

/**
 * Looks for the bytes of secrets in a stream, across the borders of its chunks: a tenth of what it costs to hash them. The
 * line break at the end of a secret's file is not looked for, as `$(cat …)` leaves it out. What was encoded, encrypted or
 * cut is not found.
 */
export class SecretScan {
  readonly found = new Set<string>()
  readonly #secrets: readonly StepSecret[]
  readonly #longest: number
  /** The end of what came before. */
  #tail: Buffer = Buffer.alloc(0)

  constructor(secrets: readonly StepSecret[]) {
    this.#secrets = secrets
      .map(({ id, bytes }) => ({ id, bytes: withoutLineBreak(bytes) }))
      .filter(({ bytes }) => bytes.length >= LEAST_BYTES)
    this.#longest = Math.max(0, ...this.#secrets.map(({ bytes }) => bytes.length))
  }

  write(chunk: Uint8Array): void {
    if (this.#longest === 0) return
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const border = Buffer.concat([this.#tail, bytes.subarray(0, this.#longest - 1)])
    for (const { id, bytes: secret } of this.#secrets)
      if (!this.found.has(id) && (border.indexOf(secret) >= 0 || bytes.indexOf(secret) >= 0)) this.found.add(id)
    const end = bytes.length < this.#longest ? Buffer.concat([this.#tail, bytes]) : bytes
    // the chunk is the caller's, who may fill it again
    this.#tail = Buffer.from(end.subarray(Math.max(0, end.length - this.#longest + 1)))
  }
}

/** Reads a layer once more to tell which files hold what a scan has found in it. */
export async function locateSecrets(layer: Bytes, secrets: readonly StepSecret[]): Promise<FoundSecret[]> {
  const files = new Map<string, string>()
  let name = ""
  let scan = new SecretScan(secrets)
  const reader = new TarReader({
    entry(entry) {
      name = entry.name
      scan = new SecretScan(secrets)
    },
    data: (bytes) => scan.write(bytes),
    end() {
      for (const id of scan.found) if (!files.has(id)) files.set(id, name)
    },
  })
  for await (const chunk of layer) reader.write(chunk)
  return secrets.map(({ id }) => {
    const file = files.get(id)
    return { id, file: file === undefined ? undefined : shownName(`/${file}`) }
  })
}

function withoutLineBreak(bytes: Uint8Array): Uint8Array {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--
  return bytes.subarray(0, end)
}
