import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { packageUrl, parseReference } from "../../image/image.ts"
import { digestAlgorithm, digestHex, type Digest } from "../../spec/digest.ts"
import type { Platform } from "../../spec/platform.ts"

/** A ResourceDescriptor of in-toto's: what went into a build, by its digest. */
export interface Material {
  uri: string
  digest: Record<string, string>
}

/** What a build fetched, or took from the store, as it found it. */
export class Materials {
  readonly #found = new Map<string, Material>()

  /** `digest`: of the index or manifest that the name led to. */
  addImage(name: string, platform: Platform, digest: Digest): void {
    this.#add(packageUrl(parseReference(name), platform), { [digestAlgorithm(digest)]: digestHex(digest) })
  }

  addGit(url: string, commit: string): void {
    this.#add(url, { [commit.length === SHA256_DIGITS ? "sha256" : "sha1"]: commit })
  }

  /** A download that lies at `path`. */
  async addFile(url: string, path: string): Promise<void> {
    const hash = createHash("sha256")
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
    this.#add(url, { sha256: hash.digest("hex") })
  }

  find(uri: string): Material | undefined {
    return this.#found.get(uri)
  }

  /** By their names. */
  list(): Material[] {
    return [...this.#found.values()].toSorted((a, b) => (a.uri < b.uri ? -1 : 1))
  }

  #add(uri: string, digest: Record<string, string>): void {
    this.#found.set(uri, { uri, digest })
  }
}

const SHA256_DIGITS = 64
