/**
 * What belongs to which repository, as files below `repositories/`: one for each fact, whose name says it. The names with which a
 * repository's own begin (`_layers`) are none that a part of its name may have.
 *
 * | file, below the repository | its content |
 * | --- | --- |
 * | `_layers/<algorithm>/<hex>` | nothing: the blob belongs to it |
 * | `_manifests/<algorithm>/<hex>` | the media type |
 * | `_tags/<tag>` | the digest |
 * | `_referrers/<algorithm>-<hex of the subject>/<algorithm>-<hex>` | the descriptor, as a list of referrers shows it |
 * | `_uploads/<id>` | nothing: the bytes are an ingest of that name |
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, utimesSync, type Dirent } from "node:fs"
import { dirname, join } from "node:path"
import { byCodeUnit } from "../../../base/by-code-unit.ts"
import { atomicWrite, syncDirectory } from "../../../base/atomic-write.ts"
import { hasErrno } from "../../../base/errors.ts"
import { namesIn } from "../../../base/names-in.ts"
import { randomHex } from "../../../base/random-hex.ts"
import { digestAlgorithm, digestHex, isDigest, type Digest } from "../../../spec/digest.ts"
import type { Descriptor } from "../../../spec/oci-image.ts"
import { walkSteps } from "./name-order.ts"
import { flat } from "./store-words.ts"

/** The files of all repositories of one directory. Every call is whole or has changed nothing. */
export class RepositoryFiles {
  readonly #root: string

  constructor(root: string) {
    this.#root = join(root, "repositories")
    mkdirSync(this.#root, { recursive: true, mode: 0o700 })
  }

  has(repository: string): boolean {
    return this.#exists(repository, "_manifests")
  }

  /** All repositories that have manifests, in the order of their names. */
  *repositories(below = ""): Generator<string> {
    for (const { name: entry, isBelow } of walkSteps(this.#directories(below))) {
      const name = below === "" ? entry : `${below}/${entry}`
      if (isBelow) yield* this.repositories(name)
      else if (this.has(name)) yield name
    }
  }

  /** All, also those of which only uploads or blobs are there. */
  *allRepositories(below = ""): Generator<string> {
    for (const entry of this.#directories(below)) {
      const name = below === "" ? entry : `${below}/${entry}`
      yield name
      yield* this.allRepositories(name)
    }
  }

  hasBlob(repository: string, digest: Digest): boolean {
    return this.#exists(repository, ...blobPath("_layers", digest))
  }

  /** Says that it belongs to it. */
  linkBlob(repository: string, digest: Digest): void {
    if (!this.touchBlob(repository, digest)) this.#write(this.#path(repository, ...blobPath("_layers", digest)), "")
  }

  /** Its age begins anew: it is not collected while it is asked for. False when it does not belong to the repository. */
  touchBlob(repository: string, digest: Digest): boolean {
    return this.#touch(repository, ...blobPath("_layers", digest))
  }

  /** When it was last asked for. */
  blobUsedAt(repository: string, digest: Digest): Date | undefined {
    return this.#changedAt(repository, ...blobPath("_layers", digest))
  }

  unlinkBlob(repository: string, digest: Digest): boolean {
    return this.#remove(repository, ...blobPath("_layers", digest))
  }

  /** With the time at which it was last asked for. */
  *blobs(repository: string): Generator<{ digest: Digest; usedAt: Date }> {
    for (const algorithm of this.#names(repository, "_layers"))
      for (const hex of this.#names(repository, "_layers", algorithm)) {
        const digest = `${algorithm}:${hex}`
        const usedAt = this.#changedAt(repository, "_layers", algorithm, hex)
        if (isDigest(digest) && usedAt !== undefined) yield { digest, usedAt }
      }
  }

  /** The media type of a manifest. */
  manifestType(repository: string, digest: Digest): string | undefined {
    return this.#read(repository, ...blobPath("_manifests", digest))
  }

  addManifest(repository: string, { digest, mediaType }: Pick<Descriptor, "digest" | "mediaType">): void {
    this.#write(this.#path(repository, ...blobPath("_manifests", digest)), mediaType, true)
  }

  removeManifest(repository: string, digest: Digest): boolean {
    return this.#remove(repository, ...blobPath("_manifests", digest))
  }

  /** Its age begins anew. False when it is not there. */
  touchManifest(repository: string, digest: Digest): boolean {
    return this.#touch(repository, ...blobPath("_manifests", digest))
  }

  /** When it was last put or asked for by its digest. */
  manifestUsedAt(repository: string, digest: Digest): Date | undefined {
    return this.#changedAt(repository, ...blobPath("_manifests", digest))
  }

  *manifests(repository: string): Generator<{ digest: Digest; usedAt: Date }> {
    for (const algorithm of this.#names(repository, "_manifests"))
      for (const hex of this.#names(repository, "_manifests", algorithm)) {
        const digest = `${algorithm}:${hex}`
        const usedAt = this.#changedAt(repository, "_manifests", algorithm, hex)
        if (isDigest(digest) && usedAt !== undefined) yield { digest, usedAt }
      }
  }

  /** In the order of their names. */
  tags(repository: string): string[] {
    return this.#names(repository, "_tags").filter(isNoRest).toSorted(byCodeUnit)
  }

  tag(repository: string, tag: string): Digest | undefined {
    const digest = this.#read(repository, "_tags", tag)
    return isDigest(digest) ? digest : undefined
  }

  setTag(repository: string, tag: string, digest: Digest): void {
    this.#write(this.#path(repository, "_tags", tag), digest, true)
  }

  /** The same of a tag that is not there yet. False where it is, and leads elsewhere: of two who set it at once, one is told so. */
  addTag(repository: string, tag: string, digest: Digest): boolean {
    const path = this.#path(repository, "_tags", tag)
    const aside = `${path}.tmp-${randomHex(8)}`
    this.#write(aside, digest, true)
    try {
      linkSync(aside, path)
      syncDirectory(dirname(path))
      return true
    } catch (error) {
      if (!hasErrno(error, "EEXIST")) throw error
      return this.tag(repository, tag) === digest
    } finally {
      unlinkSync(aside)
    }
  }

  removeTag(repository: string, tag: string): boolean {
    return this.#remove(repository, "_tags", tag)
  }

  addReferrer(repository: string, subject: Digest, descriptor: Descriptor): void {
    const path = this.#path(repository, "_referrers", flat(subject), flat(descriptor.digest))
    this.#write(path, JSON.stringify(descriptor), true)
  }

  removeReferrer(repository: string, subject: Digest, digest: Digest): void {
    this.#remove(repository, "_referrers", flat(subject), flat(digest))
  }

  referrers(repository: string, subject: Digest): Descriptor[] {
    return this.#names(repository, "_referrers", flat(subject))
      .filter(isNoRest)
      .toSorted(byCodeUnit)
      .flatMap((name) => {
        const text = this.#read(repository, "_referrers", flat(subject), name)
        return text === undefined ? [] : [JSON.parse(text) as Descriptor]
      })
  }

  addUpload(repository: string, id: string): void {
    this.#write(this.#path(repository, "_uploads", id), "")
  }

  hasUpload(repository: string, id: string): boolean {
    return this.#exists(repository, "_uploads", id)
  }

  removeUpload(repository: string, id: string): boolean {
    return this.#remove(repository, "_uploads", id)
  }

  /** Its age begins anew. */
  touchUpload(repository: string, id: string): void {
    this.#touch(repository, "_uploads", id)
  }

  /** With the time at which somebody last went on with it. */
  *uploads(repository: string): Generator<{ id: string; usedAt: Date }> {
    for (const id of this.#names(repository, "_uploads")) {
      const usedAt = this.#changedAt(repository, "_uploads", id)
      if (usedAt !== undefined) yield { id, usedAt }
    }
  }

  #directories(below: string): string[] {
    let entries: Dirent[]
    try {
      entries = readdirSync(join(this.#root, below), { withFileTypes: true })
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return []
      throw error
    }
    return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("_")).map(({ name }) => name)
  }

  #path(repository: string, ...words: string[]): string {
    return join(this.#root, repository, ...words)
  }

  #names(repository: string, ...words: string[]): string[] {
    return namesIn(this.#path(repository, ...words))
  }

  #exists(repository: string, ...words: string[]): boolean {
    return statSync(this.#path(repository, ...words), { throwIfNoEntry: false }) !== undefined
  }

  #changedAt(repository: string, ...words: string[]): Date | undefined {
    return statSync(this.#path(repository, ...words), { throwIfNoEntry: false })?.mtime
  }

  #touch(repository: string, ...words: string[]): boolean {
    try {
      const now = new Date()
      utimesSync(this.#path(repository, ...words), now, now)
      return true
    } catch (error) {
      if (hasErrno(error, "ENOENT", "ENOTDIR")) return false
      throw error
    }
  }

  #read(repository: string, ...words: string[]): string | undefined {
    try {
      return readFileSync(this.#path(repository, ...words), "utf8")
    } catch (error) {
      if (hasErrno(error, "ENOENT", "ENOTDIR")) return undefined
      throw error
    }
  }

  #write(path: string, content: string, durable = false): void {
    try {
      atomicWrite(path, content, { durable })
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      atomicWrite(path, content, { durable })
    }
  }

  #remove(repository: string, ...words: string[]): boolean {
    try {
      unlinkSync(this.#path(repository, ...words))
      return true
    } catch (error) {
      if (hasErrno(error, "ENOENT", "ENOTDIR")) return false
      throw error
    }
  }
}

function blobPath(kind: "_layers" | "_manifests", digest: Digest): [string, string, string] {
  return [kind, digestAlgorithm(digest), digestHex(digest)]
}

/** What a killed `atomicWrite` has left is none of a repository's. */
function isNoRest(name: string): boolean {
  return !name.includes(".tmp-")
}
