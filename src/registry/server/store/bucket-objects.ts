/**
 * The names of a registry's objects in a bucket, and what a bucket without locks needs so that nothing is taken away from who has just found it.
 *
 * | object | its content |
 * | --- | --- |
 * | `blobs/<algorithm>/<hex>.<version>` | a blob's bytes; uploaded again after it was condemned, it is another version |
 * | `condemned/<algorithm>/<hex>.<version>/<collection>` | nothing: that collection may be about to remove the version |
 * | `repositories/<name>/_layers/<algorithm>/<hex>.<version>.<id>` | nothing: the blob belongs to the repository |
 * | `repositories/<name>/_manifests/<algorithm>/<hex>.<version>.<id>` | the media type |
 * | `repositories/<name>/_tags/<tag>` | the digest |
 * | `repositories/<name>/_referrers/<subject>/<digest>.<id>` | the descriptor; `<id>` is of the manifest's link |
 * | `catalog/<name>/_` | nothing: a manifest was put there, perhaps deleted since |
 *
 * A link is written once and never again: its age is its age, and to use a blob anew is to add another link. So whoever removes an old link
 * takes no newer one with it. A version goes only after it was condemned, and after a listing that began later found no link to it. Whoever needs
 * one links it first and looks second whether it is condemned: of the two, one sees the other. No version's name is used twice, so that a
 * collection that slept for hours removes nothing new.
 */
import { Unavailable } from "../../../base/errors.ts"
import { randomHex } from "../../../base/random-hex.ts"
import { digestAlgorithm, digestHex, isDigest, type Digest } from "../../../spec/digest.ts"
import type { Bucket } from "../../../sys/net/bucket.ts"
import { flat } from "./store-words.ts"

/** A link older than this is followed by a new one when it is used; a collection leaves links for so much longer than it is asked to. */
export const REFRESH_MS = 10 * 60 * 1000
/** Uploads of one blob that collections may condemn at once before the sender is told to come again. */
const ATTEMPTS = 3
const REPOSITORIES = "repositories/"
const BLOBS = "blobs/"
const CONDEMNED = "condemned/"

/** Blobs of a repository, or its manifests. */
export type LinkKind = "_layers" | "_manifests"

/** One version of a blob, by a name that is used once. */
export interface BlobVersion {
  digest: Digest
  /** `""`: of servers before there were versions. */
  version: string
}

/** Says that a version belongs to a repository. */
export interface Link extends BlobVersion {
  key: string
  kind: LinkKind
  id: string
  changedAt: Date
}

/** What to link, and how its bytes come into the bucket where it is not there. */
export interface HoldRequest {
  kind: LinkKind
  digest: Digest
  size: number
  /** Of the link. */
  content: string
  put(key: string): Promise<void>
}

/** The bucket's objects by what they mean. */
export class BucketObjects {
  readonly bucket: Bucket
  #aheadMs: Promise<number> | undefined

  constructor(bucket: Bucket) {
    this.bucket = bucket
  }

  /** What the bucket's clock says: it is the one by which objects have their age. Measured once. */
  async now(): Promise<number> {
    this.#aheadMs ??= this.#measure().catch((error: unknown) => {
      this.#aheadMs = undefined
      throw error
    })
    return Date.now() + (await this.#aheadMs)
  }

  async #measure(): Promise<number> {
    await this.bucket.put("clock", "")
    const stat = await this.bucket.stat("clock")
    return stat === undefined ? 0 : stat.changedAt.getTime() - Date.now()
  }

  /** A digest's links in a repository, the newest first. */
  async links(repository: string, kind: LinkKind, digest: Digest): Promise<Link[]> {
    const found: Link[] = []
    for await (const { key, changedAt } of this.bucket.list(repositoryKey(repository, kind, ...words(digest)))) {
      const link = readLink(key, changedAt)
      if (link?.digest === digest) found.push(link)
    }
    return found.toSorted(byAge)
  }

  /** Adds a link to a version, and says whether that version stays while the link does; else the link is gone again. */
  async link(
    repository: string,
    { kind, content, digest, version }: Omit<HoldRequest, "put" | "size"> & BlobVersion,
  ): Promise<Link | undefined> {
    const id = randomHex(8)
    const key = repositoryKey(repository, kind, digestAlgorithm(digest), `${digestHex(digest)}.${version}.${id}`)
    await this.bucket.put(key, content)
    if (await this.isKept({ digest, version })) return { key, kind, digest, version, id, changedAt: new Date() }
    await this.bucket.remove(key)
    return undefined
  }

  /** Whether it is there, and no collection is about to remove it. For who has linked it before. */
  async isKept(blob: BlobVersion): Promise<boolean> {
    // in this order: it is removed before it ends to be condemned
    for await (const _ of this.bucket.list(`${condemnedKey(blob)}/`)) return false
    return (await this.bucket.stat(versionKey(blob))) !== undefined
  }

  /** Makes a blob one of the repository's: links a version that is there, or brings one. Throws Unavailable. */
  async hold(repository: string, { put, size, ...request }: HoldRequest): Promise<Link> {
    const { digest } = request
    for await (const found of this.bucket.list([BLOBS.slice(0, -1), ...words(digest)].join("/"))) {
      const blob = readVersion(found.key)
      if (blob?.digest !== digest || found.size !== size) continue
      const link = await this.link(repository, { ...request, ...blob })
      if (link !== undefined) return link
    }
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = randomHex(8)
      await put(versionKey({ digest, version }))
      const link = await this.link(repository, { ...request, version })
      if (link !== undefined) return link
    }
    throw new Unavailable(`blob ${digest} was collected while it was pushed`)
  }

  /** All links, tags and referrers, repository by repository, each once. */
  async *repositories(): AsyncGenerator<RepositoryObjects> {
    let current: RepositoryObjects | undefined
    // a repository's own names stand together: they begin with what no part of a name begins with
    for await (const { key, changedAt } of this.bucket.list(REPOSITORIES)) {
      const end = key.indexOf("/_")
      if (end < 0) continue
      const name = key.slice(REPOSITORIES.length, end)
      if (current?.name !== name) {
        if (current !== undefined) yield current
        current = { name, links: [], tags: [], referrers: [] }
      }
      const [kind, ...rest] = key.slice(end + 1).split("/")
      const link = readLink(key, changedAt)
      if (link !== undefined) current.links.push(link)
      else if (kind === "_tags") current.tags.push(rest.join("/"))
      else if (kind === "_referrers") current.referrers.push({ key, id: rest.at(-1)?.split(".")[1] ?? "", changedAt })
    }
    if (current !== undefined) yield current
  }

  /** Every link of every repository, without keeping them. */
  async *allLinks(isOf: (repository: string) => boolean = () => true): AsyncGenerator<Link> {
    for await (const { key, changedAt } of this.bucket.list(REPOSITORIES)) {
      const link = readLink(key, changedAt)
      if (link !== undefined && isOf(key.slice(REPOSITORIES.length, key.indexOf("/_")))) yield link
    }
  }

  async *blobs(): AsyncGenerator<BlobVersion & { size: number; changedAt: Date }> {
    for await (const { key, size, changedAt } of this.bucket.list(BLOBS)) {
      const blob = readVersion(key)
      if (blob !== undefined) yield { ...blob, size, changedAt }
    }
  }

  /** Says that `collection` may remove it. */
  condemn(blob: BlobVersion, collection: string): Promise<void> {
    return this.bucket.put(`${condemnedKey(blob)}/${collection}`, "")
  }

  /** It was removed, or stays. */
  pardon(blob: BlobVersion, collection: string): Promise<void> {
    return this.bucket.remove(`${condemnedKey(blob)}/${collection}`)
  }

  /** What collections have condemned, with those that were killed. */
  condemned(): ReturnType<Bucket["list"]> {
    return this.bucket.list(CONDEMNED)
  }
}

/** What one repository has. */
export interface RepositoryObjects {
  name: string
  links: Link[]
  tags: string[]
  referrers: { key: string; id: string; changedAt: Date }[]
}

/** The newest first; of one age, every server has them in the same order. */
export function byAge(one: Link, other: Link): number {
  return other.changedAt.getTime() - one.changedAt.getTime() || (one.key < other.key ? -1 : 1)
}

/** The key of what belongs to a repository. */
export function repositoryKey(repository: string, ...rest: string[]): string {
  return `${REPOSITORIES}${[repository, ...rest].join("/")}`
}

/** The key of a blob's bytes. */
export function versionKey({ digest, version }: BlobVersion): string {
  return `${BLOBS}${versionName({ digest, version })}`
}

/** As one word, for sets. */
export function versionName({ digest, version }: BlobVersion): string {
  return `${words(digest).join("/")}${version === "" ? "" : `.${version}`}`
}

/** The key of a manifest among those that refer to another; with no id, what all keys of it begin with. */
export function referrerKey(repository: string, subject: Digest, digest: Digest, id = ""): string {
  return repositoryKey(repository, "_referrers", flat(subject), `${flat(digest)}${id === "" ? "" : `.${id}`}`)
}

function condemnedKey(blob: BlobVersion): string {
  return `${CONDEMNED}${versionName(blob)}`
}

function words(digest: Digest): [string, string] {
  return [digestAlgorithm(digest), digestHex(digest)]
}

function readVersion(key: string): BlobVersion | undefined {
  const [algorithm = "", name = ""] = key.slice(BLOBS.length).split("/")
  const [hex, version = ""] = name.split(".")
  const digest = `${algorithm}:${hex}`
  return isDigest(digest) ? { digest, version } : undefined
}

function readLink(key: string, changedAt: Date): Link | undefined {
  const [, kind, algorithm, hex, version = "", id = ""] =
    /\/(_layers|_manifests)\/(\w+)\/([0-9a-f]+)(?:\.(\w*)\.(\w+))?$/.exec(key) ?? []
  const digest = `${algorithm}:${hex}`
  return isDigest(digest) ? { key, kind: kind as LinkKind, digest, version, id, changedAt } : undefined
}
