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
  const names = image.tags.map(splitName)
  const digests = image.repoDigests.map(splitName)
  const shown = names.length > 0 ? names : digests.length > 0 ? digests : [{ repository: NONE, tag: undefined }]
  const created = image.createdAt ?? new Date(0)
  return shown
    .filter((name) => only === undefined || matches(name, only))
    .map(({ repository, tag }) => ({
      ID: noTrunc ? image.id : shortDigest(image.id),
      Repository: repository,
      Tag: tag ?? NONE,
      Digest: digests.find((one) => one.repository === repository)?.digest ?? NONE,
      CreatedSince: image.createdAt ? formatAgo(created, now) : "N/A",
      // the time zone costs 3 ms at its first use
      get CreatedAt() {
        return formatMoment(created)
      },
      Size: formatSize(image.sizeBytes),
      VirtualSize: formatSize(image.sizeBytes),
      Containers: "N/A",
      SharedSize: "N/A",
      UniqueSize: "N/A",
    }))
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

interface SplitName {
  repository: string
  tag: string | undefined
  digest?: string
}

function splitName(name: string): SplitName {
  const { tag, digest, ...repository } = parseReference(name)
  return { repository: familiarReference(repository), tag, ...(digest === undefined ? {} : { digest }) }
}

/** `images debian` shows all its tags, `images debian:12` that one; a pattern with `*` is the store's matter. */
function matches({ repository, tag }: SplitName, only: string): boolean {
  if (only.includes("*")) return true
  const wanted = splitName(only)
  return repository === wanted.repository && (wanted.tag === undefined || wanted.tag === tag)
}
