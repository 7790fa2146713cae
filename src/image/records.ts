import { byCodeUnit } from "../base/by-code-unit.ts"
import type { Database } from "../base/database.ts"
import type { Leases } from "../content/content.ts"
import { InvalidArgument, isSkiffError, NotFound } from "../base/errors.ts"
import { isDigest, type ChainId, type Digest } from "../spec/digest.ts"
import { IN_TOTO } from "../spec/in-toto.ts"
import type { Attestation, Image } from "./image.ts"
import type { Events } from "../event/event.ts"
import { nearestImage } from "./nearest-image.ts"
import type { Platform } from "../spec/platform.ts"
import { familiarReference, formatReference, parseReference, shortName, type Reference } from "./reference.ts"

/** What `image inspect` and `history` need besides the image itself. */
export interface LayerRecord {
  chainId: ChainId
  sizeBytes: number
}

/** An image to be recorded. */
export interface NewImage extends Omit<Image, "tags" | "repoDigests"> {
  labels: Record<string, string>
  layers: readonly LayerRecord[]
  /** Manifest, config, layers, and the index it came from: kept while the image is. */
  blobs: readonly Digest[]
}

/** An image, and its recorded name that was asked for; none when it was asked for by id. */
export interface Located {
  image: Image
  name: string | undefined
}

interface ImageColumns {
  id: Digest
  manifest_digest: Digest
  manifest_type: string
  manifest_size: number
  os: string
  architecture: string
  variant: string | null
  created_ms: number | null
  size_bytes: number
  top_layer: ChainId | null
  recorded_ms: number
}

interface Row extends ImageColumns {
  /** JSON lists. */
  tags: string
  digests: string
}

const COLUMNS =
  "id, manifest_digest, manifest_type, manifest_size, os, architecture, variant, created_ms, size_bytes, top_layer, recorded_ms"
const SELECT = `SELECT ${COLUMNS},
  (SELECT json_group_array(name) FROM (SELECT name FROM image_names WHERE image_id = id ORDER BY name)) AS tags,
  (SELECT json_group_array(name) FROM (SELECT name FROM image_digests WHERE image_id = id ORDER BY name)) AS digests
  FROM images`

/** The rows of images and their names. Every call is one short statement or transaction. */
export class ImageRecords {
  readonly #db: Database
  readonly #events: Pick<Events, "append">
  readonly #leases: Pick<Leases, "live">
  readonly #looseNames: boolean

  constructor(
    db: Database,
    {
      events,
      leases,
      looseNames = false,
    }: {
      events: Pick<Events, "append">
      leases: Pick<Leases, "live">
      looseNames?: boolean | undefined
    },
  ) {
    this.#looseNames = looseNames
    this.#db = db
    this.#events = events
    this.#leases = leases
  }

  /** Writes the event of a change; inside of its transaction. `actor` is what docker names by it: a name, or the id. */
  tell(action: string, actor: string, attributes: Record<string, string> = {}): void {
    this.#events.append({ type: "image", action, actor: { id: actor, attributes: { name: actor, ...attributes } } })
  }

  transaction<T>(body: () => T): T {
    return this.#db.transaction(body)
  }

  /** Newest first. */
  list(): Image[] {
    // three scans, put in order here: of ten thousand wide rows SQLite's sort takes four times what all else does
    return this.#db.snapshot(() => {
      const tags = this.#namesOf("image_names")
      const digests = this.#namesOf("image_digests")
      return this.#db
        .all<ImageColumns & { recorded_ms: number }>(`SELECT ${COLUMNS}, recorded_ms FROM images`)
        .toSorted(newestFirst)
        .map((row) => imageOf(row, tags.get(row.id) ?? [], digests.get(row.id) ?? []))
    })
  }

  /** All names in a table by the ids of their images, each in order. */
  #namesOf(table: "image_names" | "image_digests"): Map<Digest, string[]> {
    const names = new Map<Digest, string[]>()
    for (const { id, name } of this.#db.all<{ id: Digest; name: string }>(
      `SELECT image_id AS id, name FROM ${table}`,
    )) {
      const known = names.get(id)
      if (known) known.push(name)
      else names.set(id, [name])
    }
    for (const several of names.values()) if (several.length > 1) several.sort(byCodeUnit)
    return names
  }

  /** All names with a tag, in full. */
  names(): string[] {
    return this.#db.all<{ name: string }>("SELECT name FROM image_names ORDER BY name").map(({ name }) => name)
  }

  labels(id: Digest): Record<string, string> {
    const row = this.#db.get<{ labels: string }>("SELECT labels FROM images WHERE id = ?", id)
    return row === undefined ? {} : (JSON.parse(row.labels) as Record<string, string>)
  }

  layers(id: Digest): LayerRecord[] {
    return this.#db
      .all<{ chain_id: ChainId; size_bytes: number }>(
        "SELECT chain_id, size_bytes FROM image_layers WHERE image_id = ? ORDER BY position",
        id,
      )
      .map((row) => ({ chainId: row.chain_id, sizeBytes: row.size_bytes }))
  }

  /** The size of a layer that some image has already; undefined when none has it. */
  layerSize(chainId: ChainId): number | undefined {
    return this.#db.get<{ size: number }>(
      "SELECT size_bytes AS size FROM image_layers WHERE chain_id = ? LIMIT 1",
      chainId,
    )?.size
  }

  /** Repositories, in full, that an image with this blob was pulled from or pushed to. */
  repositoriesWith(digest: Digest): string[] {
    return this.#db
      .all<{ name: string }>(
        "SELECT DISTINCT d.name FROM image_blobs b JOIN image_digests d ON d.image_id = b.image_id WHERE b.digest = ?",
        digest,
      )
      .map(({ name }) => name.replace(/@.*$/, ""))
  }

  /** Notes that the image is used now. */
  use(id: Digest): void {
    this.#db.run("INSERT OR REPLACE INTO image_uses SELECT id, ? FROM images WHERE id = ?", Date.now(), id)
  }

  /** When each image was used last, or recorded, in milliseconds. */
  lastUses(): Map<Digest, number> {
    const rows = this.#db.all<{ id: Digest; ms: number }>(
      "SELECT i.id, max(i.recorded_ms, coalesce(u.used_ms, 0)) AS ms FROM images i LEFT JOIN image_uses u ON u.image_id = i.id",
    )
    return new Map(rows.map(({ id, ms }) => [id, ms]))
  }

  byId(id: Digest): Image | undefined {
    const row = this.#db.get<Row>(`${SELECT} WHERE id = ?`, id)
    return row && toImage(row)
  }

  /**
   * As docker looks: an id, then a name, then the beginning of an id. A name without registry is docker.io's, else what
   * registries.conf once made of it, else localhost's. Throws InvalidArgument when the text begins several ids, or several
   * names were made of it.
   */
  locate(text: string): Located | undefined {
    if (isDigest(text)) return located(this.byId(text))
    return this.#byName(text) ?? located(this.#byPrefix(text))
  }

  find(text: string): Image | undefined {
    return this.locate(text)?.image
  }

  get(text: string): Image {
    return this.mustLocate(text).image
  }

  /** Like `locate`. Throws NotFound. */
  mustLocate(text: string): Located {
    const found = this.locate(text)
    if (found) return found
    const near = nearestImage(text, this.names())
    throw new NotFound(`no such image: "${text}"`, {
      hint: [...(near === undefined ? [] : [{ nearest: near }]), { do: "listImages" }, { do: "pull", image: text }],
      data: { object: "image", name: text, ...(near === undefined ? {} : { nearest: near }) },
    })
  }

  #byName(text: string): Located | undefined {
    const ref = tryParse(text)
    if (!ref) return undefined
    const { registry, repository, digest, tag = "latest" } = ref
    const full = formatReference(
      digest === undefined ? { registry, repository, tag } : { registry, repository, digest },
    )
    const exact = digest === undefined ? this.#idOf(full) : this.#idOfDigest(full)
    if (exact !== undefined) return located(this.byId(exact), full)
    if (digest !== undefined) return undefined
    const local = this.#byShortName(text, ref) ?? this.#byLocalName(text, ref)
    return local ?? (this.#looseNames ? this.#byTail(text, ref) : undefined)
  }

  /** Podman's: `app:1` is `registry.example/team/app:1` where no other name fits better; of several the first by its letters. */
  #byTail(text: string, ref: Reference): Located | undefined {
    const short = shortName(text, ref)
    if (short === undefined) return undefined
    const tail = `/${short}`
    const row = this.#db.get<{ id: Digest; name: string }>(
      "SELECT image_id AS id, name FROM image_names WHERE substr(name, ?) = ? ORDER BY name LIMIT 1",
      -tail.length,
      tail,
    )
    return row && located(this.byId(row.id), row.name)
  }

  /** What was made on this machine: `base:1` is `localhost/base:1` where nothing else has that name. */
  #byLocalName(text: string, ref: Reference): Located | undefined {
    const short = shortName(text, ref)
    const full = `localhost/${short}`
    const id = short === undefined ? undefined : this.#idOf(full)
    return id === undefined ? undefined : located(this.byId(id), full)
  }

  #idOf(name: string): Digest | undefined {
    return this.#db.get<{ id: Digest }>("SELECT image_id AS id FROM image_names WHERE name = ?", name)?.id
  }

  #idOfDigest(name: string): Digest | undefined {
    return this.#db.get<{ id: Digest }>("SELECT image_id AS id FROM image_digests WHERE name = ?", name)?.id
  }

  /** What registries.conf once made of a name without registry is remembered, so that looking up reads no file. */
  #byShortName(text: string, ref: Reference): Located | undefined {
    const short = shortName(text, ref)
    if (short === undefined) return undefined
    const rows = this.#db.all<{ id: Digest; name: string }>(
      "SELECT image_id AS id, name FROM image_names WHERE short_name = ?",
      short,
    )
    if (rows.length > 1)
      throw new InvalidArgument(`"${text}" may mean ${rows.map((row) => row.name).join(" or ")}`, {
        hint: "give the full name",
      })
    return rows[0] && located(this.byId(rows[0].id), rows[0].name)
  }

  #byPrefix(text: string): Image | undefined {
    const prefix = hexPrefix(text)
    if (prefix === undefined) return undefined
    const rows = this.#db.all<{ id: Digest }>(
      "SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2",
      `sha256:${prefix}`,
      `sha256:${prefix}g`,
    )
    if (rows.length > 1)
      throw new InvalidArgument(`"${text}" is the beginning of several image ids`, {
        hint: "give more digits of the id",
      })
    return rows[0] && this.byId(rows[0].id)
  }

  /** Writes the image, or what has changed of it. */
  put(image: NewImage): void {
    const { platform, manifest } = image
    this.transaction(() => {
      this.#db.run(
        `INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET manifest_digest = excluded.manifest_digest,
           manifest_type = excluded.manifest_type, manifest_size = excluded.manifest_size,
           recorded_ms = excluded.recorded_ms`,
        image.id,
        manifest.digest,
        manifest.mediaType,
        manifest.size,
        platform.os,
        platform.architecture,
        platform.variant ?? null,
        image.createdAt?.getTime() ?? null,
        image.sizeBytes,
        image.topLayer ?? null,
        JSON.stringify(image.labels),
        Date.now(),
      )
      image.layers.forEach((layer, position) =>
        this.#db.run(
          "INSERT OR REPLACE INTO image_layers VALUES (?, ?, ?, ?)",
          image.id,
          position,
          layer.chainId,
          layer.sizeBytes,
        ),
      )
      for (const digest of image.blobs)
        this.#db.run("INSERT OR IGNORE INTO image_blobs VALUES (?, ?)", image.id, digest)
    })
  }

  /** Newer ones take the place of those of their type. */
  putAttestations(id: Digest, attestations: readonly Attestation[]): void {
    for (const { predicateType, statement } of attestations)
      this.#db.run(
        "INSERT OR REPLACE INTO image_attestations VALUES (?, ?, ?, ?)",
        id,
        predicateType,
        statement.digest,
        statement.size,
      )
  }

  attestations(id: Digest): Attestation[] {
    return this.#db
      .all<{ type: string; digest: Digest; size: number }>(
        "SELECT predicate_type AS type, digest, size FROM image_attestations WHERE image_id = ? ORDER BY type",
        id,
      )
      .map(({ type, digest, size }) => ({
        predicateType: type,
        statement: { mediaType: IN_TOTO.mediaType, digest, size },
      }))
  }

  /** Makes `name`, which the first member has, that of an index of all members. */
  setIndex(name: string, digest: Digest, members: readonly Digest[]): void {
    this.#db.run("INSERT OR REPLACE INTO image_indexes VALUES (?, ?)", name, digest)
    members.forEach((id, position) =>
      this.#db.run("INSERT INTO image_index_members VALUES (?, ?, ?)", name, position, id),
    )
  }

  /** The index that a name of several platforms leads to, and its images; undefined for a name of one. */
  index(name: string): { digest: Digest; members: Image[] } | undefined {
    const row = this.#db.get<{ digest: Digest }>("SELECT digest FROM image_indexes WHERE name = ?", name)
    return row && { digest: row.digest, members: this.membersOf(name) }
  }

  membersOf(name: string): Image[] {
    return this.#db
      .all<Row>(
        `SELECT i.* FROM image_index_members m JOIN (${SELECT}) i ON i.id = m.image_id WHERE m.name = ? ORDER BY m.position`,
        name,
      )
      .map(toImage)
  }

  isMember(id: Digest): boolean {
    return this.#db.get("SELECT 1 FROM image_index_members WHERE image_id = ? LIMIT 1", id) !== undefined
  }

  /** Remembers that a layer of these bytes can be read from the snapshot, which has no blob. */
  putSnapshotBlob(digest: Digest, size: number, chainId: ChainId): void {
    this.#db.run("INSERT OR IGNORE INTO snapshot_blobs VALUES (?, ?, ?)", digest, chainId, size)
  }

  /** Remembers that the layer of this blob is here without it: see partial/partial-layer.ts. */
  putPartialLayer(digest: Digest, chainId: ChainId): void {
    this.#db.run("INSERT OR IGNORE INTO partial_layers VALUES (?, ?)", digest, chainId)
  }

  isPartialLayer(digest: Digest, chainId: ChainId): boolean {
    return this.#db.get("SELECT 1 FROM partial_layers WHERE digest = ? AND chain_id = ?", digest, chainId) !== undefined
  }

  /** Points `name` at the image; who had the name before loses it. `short` is what the user typed, where that was short. */
  setName(name: string, id: Digest, short?: string): void {
    this.#db.run("DELETE FROM image_indexes WHERE name = ?", name)
    this.#db.run(
      `INSERT INTO image_names VALUES (?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET image_id = excluded.image_id, short_name = coalesce(excluded.short_name, short_name)`,
      name,
      id,
      short ?? null,
    )
  }

  setRepoDigest(name: string, id: Digest): void {
    this.#db.run("INSERT OR REPLACE INTO image_digests VALUES (?, ?)", name, id)
  }

  /** Takes a name or a repo digest away; false when there is none. */
  unsetName(name: string): boolean {
    const id = this.#idOf(name)
    const fromNames = this.#db.run("DELETE FROM image_names WHERE name = ?", name)
    if (id !== undefined) this.tell("untag", id, { name: familiarReference(parseReference(name)) })
    return fromNames + this.#db.run("DELETE FROM image_digests WHERE name = ?", name) > 0
  }

  hasLayer(chainId: ChainId): boolean {
    return this.#db.get("SELECT 1 FROM image_layers WHERE chain_id = ? LIMIT 1", chainId) !== undefined
  }

  delete(id: Digest): void {
    if (this.#db.run("DELETE FROM images WHERE id = ?", id) > 0) this.tell("delete", id)
    // images that are only exported have no record
    const leased = JSON.stringify(this.#leases.live().snapshots)
    for (const table of ["snapshot_blobs", "partial_layers"])
      this.#db.run(
        `DELETE FROM ${table} WHERE chain_id NOT IN (SELECT chain_id FROM image_layers)
           AND chain_id NOT IN (SELECT value FROM json_each(?))`,
        leased,
      )
  }
}

type Dated = Pick<ImageColumns, "id" | "created_ms"> & { recorded_ms: number }

/** Those without a date last. */
function newestFirst(a: Dated, b: Dated): number {
  if (a.created_ms !== b.created_ms) return (b.created_ms ?? -Infinity) - (a.created_ms ?? -Infinity)
  return b.recorded_ms - a.recorded_ms || byCodeUnit(a.id, b.id)
}

function located(image: Image | undefined, name?: string): Located | undefined {
  return image && { image, name }
}

function hexPrefix(text: string): string | undefined {
  return /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1]
}

function tryParse(text: string): Reference | undefined {
  try {
    return parseReference(text)
  } catch (error) {
    if (isSkiffError(error, "InvalidArgument")) return undefined
    throw error
  }
}

function toImage(row: Row): Image {
  return imageOf(row, JSON.parse(row.tags) as string[], JSON.parse(row.digests) as string[])
}

function platformOf({ os, architecture, variant }: ImageColumns): Platform {
  return variant === null ? { os, architecture } : { os, architecture, variant }
}

function imageOf(row: ImageColumns, tags: string[], repoDigests: string[]): Image {
  return {
    id: row.id,
    manifest: { mediaType: row.manifest_type, digest: row.manifest_digest, size: row.manifest_size },
    tags,
    repoDigests,
    platform: platformOf(row),
    createdAt: row.created_ms === null ? undefined : new Date(row.created_ms),
    recordedAt: new Date(row.recorded_ms),
    sizeBytes: row.size_bytes,
    topLayer: row.top_layer ?? undefined,
  }
}
