import { createHash, type Hash } from "node:crypto"
import type { TarEntry, TarSink } from "../../archive/tar-entry.ts"
import { TarReader } from "../../archive/tar-reader.ts"
import type { Bytes } from "../../base/bytes.ts"

/** An entry of a layer, its contents by their digest. */
export interface DigestedEntry {
  entry: TarEntry
  /** Of its contents. */
  digest: string
}

/** The entries of a tar in their order, each with a digest of its bytes: none of them is kept. */
export async function* tarEntries(tar: Bytes): AsyncGenerator<DigestedEntry> {
  const sink = new DigestSink()
  const reader = new TarReader(sink)
  for await (const chunk of tar) {
    reader.write(chunk)
    yield* sink.take()
  }
  reader.finish()
  yield* sink.take()
}

class DigestSink implements TarSink {
  #done: DigestedEntry[] = []
  #entry: TarEntry | undefined
  #hash: Hash = createHash("sha256")

  entry(entry: TarEntry): void {
    this.#entry = entry
    this.#hash = createHash("sha256")
    // only of a file more is told
    if (entry.type !== "file") this.end()
  }

  data(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }

  end(): void {
    if (this.#entry !== undefined) this.#done.push({ entry: this.#entry, digest: this.#hash.digest("hex") })
    this.#entry = undefined
  }

  take(): DigestedEntry[] {
    const done = this.#done
    this.#done = []
    return done
  }
}
