import { formatSize } from "../base/sizes.ts"
import type { Image } from "../image/image.ts"
import { familiarReference, parseReference } from "../image/image.ts"
import { shortDigest } from "../spec/digest.ts"
import { formatAgo, formatMoment } from "./ages.ts"

/** A line of `images`: the fields that docker's templates name. */
export interface ImageRow {
  ID: string
  Repository: string
  Tag: string
  Digest: string
}

interface ImageRowOptions {
  noTrunc: boolean
  digests: boolean
  /** Only lines of this repository, or of this very name. */
  only?: string | undefined
  now?: Date
}

/** Lines of `images`: one a name, `<none>` for what it lacks. */
export function imageRows(image: Image, { noTrunc, only, now = new Date() }: ImageRowOptions): ImageRow[] {
  const recorded = image.tags.length > 0 ? image.tags : image.repoDigests
  const created = image.createdAt ?? new Date(0)
  const size = formatSize(image.sizeBytes)
  const id = noTrunc ? image.id : shortDigest(image.id)
  const age = image.createdAt ? formatAgo(created, now) : "N/A"
  const rows: ImageRow[] = []
  for (let index = 0; index < Math.max(recorded.length, 1); index++) {
    const full = recorded[index]
    const name = full === undefined ? NAMELESS : splitRecorded(full)
    if (only !== undefined && !matches(name, only)) continue
    rows.push(imageRow(image, name, { id, age, size, created }))
  }
  return rows
}

interface RowTexts {
  id: string
  age: string
  size: string
  created: Date
}

function imageRow(image: Image, { repository, tag = NONE }: SplitName, { id, age, size, created }: RowTexts): ImageRow {
  const row = {
    ID: id,
    Repository: repository,
    Tag: tag,
    // most lines are printed without it
    get Digest() {
      return image.repoDigests.map(splitRecorded).find((one) => one.repository === repository)?.digest ?? NONE
    },
    CreatedSince: age,
    // the time zone costs 3 ms at its first use
    get CreatedAt() {
      return formatMoment(created)
    },
    Size: size,
    VirtualSize: size,
    Containers: "N/A",
    SharedSize: "N/A",
    UniqueSize: "N/A",
  }
  return row
}

/** Column titles of its fields. */
export const IMAGE_TITLES = {
  ID: "IMAGE ID",
  Repository: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  Size: "SIZE",
  VirtualSize: "SIZE",
  Containers: "CONTAINERS",
  SharedSize: "SHARED SIZE",
  UniqueSize: "UNIQUE SIZE",
}

const NONE = "<none>"
const DOCKER_HUB = "docker.io/"
const OFFICIAL = "library/"

interface SplitName {
  repository: string
  tag: string | undefined
  digest?: string
}

const NAMELESS: SplitName = { repository: NONE, tag: undefined }

function splitName(name: string): SplitName {
  const { tag, digest, ...repository } = parseReference(name)
  return { repository: familiarReference(repository), tag, ...(digest === undefined ? {} : { digest }) }
}

/** Of a full name, as records have it: whole and valid, so that of ten thousand none need be parsed. */
function splitRecorded(name: string): SplitName {
  const at = name.indexOf("@")
  const digest = at < 0 ? undefined : name.slice(at + 1)
  const before = at < 0 ? name : name.slice(0, at)
  const colon = before.lastIndexOf(":")
  const isTag = colon > before.lastIndexOf("/")
  const repository = familiarRepository(isTag ? before.slice(0, colon) : before)
  const tag = isTag ? before.slice(colon + 1) : undefined
  // of ten thousand names a spread takes as long as all of the above
  return digest === undefined ? { repository, tag } : { repository, tag, digest }
}

function familiarRepository(full: string): string {
  if (!full.startsWith(DOCKER_HUB)) return full
  const rest = full.slice(DOCKER_HUB.length)
  return rest.startsWith(OFFICIAL) && !rest.includes("/", OFFICIAL.length) ? rest.slice(OFFICIAL.length) : rest
}

/** `images debian` shows all its tags, `images debian:12` that one; a pattern with `*` is the store's matter. */
function matches({ repository, tag }: SplitName, only: string): boolean {
  if (only.includes("*")) return true
  const wanted = splitName(only)
  return repository === wanted.repository && (wanted.tag === undefined || wanted.tag === tag)
}
