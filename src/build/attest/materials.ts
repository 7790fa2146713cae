import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { packageUrl, parseReference } from "../../image/image.ts"
import { digestAlgorithm, digestHex, type Digest } from "../../spec/digest.ts"
import { formatPlatform, samePlatform, type Platform } from "../../spec/platform.ts"

/** A ResourceDescriptor of in-toto's: what went into a build, by its digest. */
export interface Material {
  uri: string
  digest: Record<string, string>
}

/** What a build fetched, or took from the store, as it found it. */
export class Materials {
  /** Those of all platforms; of one: a base image by the platform it was found for, a source by what reads it. */
  readonly #found = new Map<string, { material: Material; isFor(plan: Plan): boolean }>()

  /** `digest`: of the index or manifest that the name led to; `target`: of the plan that asked for it. */
  addImage(name: string, platform: Platform, digest: Digest, target: Platform): void {
    const uri = packageUrl(parseReference(name), platform)
    const material = { uri, digest: { [digestAlgorithm(digest)]: digestHex(digest) } }
    this.#found.set(`${formatPlatform(target)} ${uri}`, {
      material,
      isFor: (plan) => samePlatform(plan.target, target),
    })
  }

  addGit(url: string, commit: string): void {
    this.#addSource(url, { [commit.length === SHA256_DIGITS ? "sha256" : "sha1"]: commit })
  }

  /** A download that lies at `path`. */
  async addFile(url: string, path: string): Promise<void> {
    const hash = createHash("sha256")
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
    this.#addSource(url, { sha256: hash.digest("hex") })
  }

  /** A context, by its address. */
  find(uri: string): Material | undefined {
    return this.#found.get(uri)?.material
  }

  /** What one platform's result was made of, by name. */
  list(plan: Plan): Material[] {
    const own = [...this.#found.values()].filter(({ isFor }) => isFor(plan)).map(({ material }) => material)
    return own.toSorted((a, b) => (a.uri < b.uri ? -1 : 1))
  }

  #addSource(uri: string, digest: Record<string, string>): void {
    const isFor = ({ sources }: Plan) => sources.has(uri)
    this.#found.set(uri, { material: { uri, digest }, isFor })
  }
}

/** What a plan is for, and the addresses that it reads. */
interface Plan {
  target: Platform
  sources: ReadonlySet<string>
}

const SHA256_DIGITS = 64
