import { shortId } from "../base/short-id.ts"
import { formatSize } from "../base/sizes.ts"
import { formatAgo, formatMoment } from "../docker/ages.ts"
import { parseReference, type Image } from "../image/image.ts"
import { digestHex } from "../spec/digest.ts"
import { hide } from "../docker/hidden-fields.ts"

const NONE = "<none>"

/** Lines of `images` by podman's template names: names in full, `localhost/` of what was made here. */
export function podmanImageRows(
  image: Image,
  { noTrunc, now = new Date() }: { noTrunc: boolean; now?: Date },
): object[] {
  const id = digestHex(image.id)
  const created = image.createdAt ?? new Date(0)
  const shown = image.tags.map((text) => parseReference(text))
  const names = shown.map(({ registry, repository, tag }) => ({ Repository: `${registry}/${repository}`, Tag: tag }))
  const lines = names.length > 0 ? names : [{ Repository: NONE, Tag: NONE }]
  return lines.map(({ Repository, Tag }) => {
    const row = {
      ID: noTrunc ? `sha256:${id}` : shortId(id),
      Repository,
      Tag: Tag ?? NONE,
      Digest: image.manifest.digest,
      Created: formatAgo(created, now),
      get CreatedAt() {
        return formatMoment(created)
      },
      CreatedSince: formatAgo(created, now),
      CreatedTime: created.toISOString(),
      Size: spaced(formatSize(image.sizeBytes)),
      VirtualSize: spaced(formatSize(image.sizeBytes)),
      ReadOnly: false,
      Names: image.tags,
      RepoTags: image.tags,
      RepoDigests: image.repoDigests,
      History: image.tags.join(", "),
      Containers: 0,
      ParentID: "",
    }
    return hide(row, { ...podmanImageFields(image), document: podmanImageListDocument(image) })
  })
}

/** Column titles of its fields. */
export const PODMAN_IMAGE_TITLES: Readonly<Record<string, string>> = {
  ID: "IMAGE ID",
  Repository: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  Created: "CREATED",
  CreatedAt: "CREATED AT",
  CreatedSince: "CREATED",
  CreatedTime: "CREATED TIME",
  Size: "SIZE",
  VirtualSize: "VIRTUAL SIZE",
  ReadOnly: "R/O",
  Names: "NAMES",
  RepoTags: "REPO TAGS",
  RepoDigests: "REPO DIGESTS",
  History: "HISTORY",
  Containers: "CONTAINERS",
  ParentID: "PARENT ID",
}

/** Fields that podman's templates name and docker's do not. Pure. */
export function podmanImageFields(image: Image): Record<string, unknown> {
  const created = image.createdAt ?? new Date(0)
  return {
    Arch: image.platform.architecture,
    Created: formatAgo(created, new Date()),
    CreatedTime: created.toISOString(),
    Dangling: image.tags.length === 0,
    History: image.tags.join(", "),
    IsManifestList: false,
    Names: image.tags,
    Os: image.platform.os,
    ParentID: "",
    ParentId: "",
    ReadOnly: false,
    RepoDigests: image.repoDigests,
    RepoTags: image.tags,
  }
}

/** An element of `images --format json`, once for all names. */
function podmanImageListDocument(image: Image): object {
  const created = image.createdAt ?? new Date(0)
  return {
    Id: digestHex(image.id),
    ParentId: "",
    RepoTags: null,
    RepoDigests: image.repoDigests,
    Size: image.sizeBytes,
    SharedSize: 0,
    VirtualSize: image.sizeBytes,
    Labels: null,
    Containers: 0,
    Names: image.tags,
    Digest: image.manifest.digest,
    History: image.tags,
    Created: Math.floor(created.getTime() / 1000),
    CreatedAt: created.toISOString().replace(".000Z", "Z"),
  }
}

/** `2MB` is `2 MB`. */
function spaced(size: string): string {
  return size.replace(/([\d.])([A-Za-z])/, "$1 $2")
}
