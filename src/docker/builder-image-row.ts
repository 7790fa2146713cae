import { formatSize } from "../base/sizes.ts"
import { parseReference, type Image } from "../image/image.ts"
import { formatAgo, formatMoment } from "./ages.ts"

const SHORT_ID = 12

/** Column titles of its fields. */
export const BUILDER_IMAGE_TITLES = {
  Name: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  ID: "IMAGE ID",
  CreatedAt: "CREATED",
  Created: "CREATED",
  CreatedAtRaw: "CREATED AT",
  Size: "SIZE",
  ReadOnly: "R/O",
}

/** Lines of `builder images`, one for each name, in full: the fields that Buildah's templates name. */
export function builderImageRows(image: Image, isWhole: boolean) {
  const names = image.tags.map((text) => parseReference(text))
  const shown = names.map(({ registry, repository, tag }) => ({ Name: `${registry}/${repository}`, Tag: tag }))
  const { ID, CreatedAt, Created, CreatedAtRaw, Size } = factsOf(image, isWhole)
  return (shown.length > 0 ? shown : [{ Name: "<none>", Tag: "<none>" }]).map(({ Name, Tag }) => ({
    Name,
    Tag,
    ID,
    Digest: image.manifest.digest,
    CreatedAt,
    Created,
    CreatedAtRaw,
    Size,
    ReadOnly: "false",
  }))
}

function factsOf(image: Image, isWhole: boolean) {
  const created = image.createdAt ?? new Date(0)
  return {
    ID: isWhole ? image.id : idDigits(image).slice(0, SHORT_ID),
    CreatedAt: formatAgo(created, new Date()),
    Created: Math.floor(created.getTime() / 1000),
    CreatedAtRaw: formatMoment(created),
    Size: formatSize(image.sizeBytes),
  }
}

/** Buildah's JSON, whose fields have other names than its templates'. */
export function builderImageListDocument(image: Image, isWhole: boolean): object {
  const { ID, CreatedAt, Created, Size } = factsOf(image, isWhole)
  return {
    id: ID,
    names: image.tags,
    digest: image.manifest.digest,
    createdat: CreatedAt,
    size: Size,
    created: Created,
    createdatraw: image.createdAt?.toISOString() ?? "",
    readonly: false,
    history: null,
  }
}

/** The digits of its id. */
export function idDigits({ id }: Image): string {
  return id.replace("sha256:", "")
}
