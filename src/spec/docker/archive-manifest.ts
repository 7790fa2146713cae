import * as v from "valibot"
import { absent, checkDocument, parseJson } from "../parse-document.ts"

const MAX_IMAGES = 1_000
const MAX_LAYERS = 500
/** Of all images together: each becomes a row. */
const MAX_TAGS = 10_000
const WHAT = "manifest.json of the archive"
/** A `manifest.json` that is larger is refused before it is parsed. */
export const MAX_ARCHIVE_MANIFEST_BYTES = 8 * 1024 ** 2

const schema = v.pipe(
  v.array(
    v.object({
      Config: v.string(),
      RepoTags: absent(v.array(v.string())),
      Layers: absent(v.pipe(v.array(v.string()), v.maxLength(MAX_LAYERS, `more than ${MAX_LAYERS} layers`))),
    }),
  ),
  v.maxLength(MAX_IMAGES, `more than ${MAX_IMAGES} images`),
  v.check(
    (images) => images.reduce((count, { RepoTags }) => count + (RepoTags?.length ?? 0), 0) <= MAX_TAGS,
    `more than ${MAX_TAGS} tags`,
  ),
)

/** One image of a docker archive: names of files in it. */
export interface ArchiveManifestEntry {
  config: string
  names: readonly string[]
  /** Lowest first. */
  layers: readonly string[]
}

/** Parses `manifest.json` of a docker archive (docker's image/spec, "Combined Image JSON + Filesystem Changeset Format"). */
export function parseArchiveManifest(bytes: Uint8Array): ArchiveManifestEntry[] {
  const document = parseJson(bytes, WHAT)
  return checkDocument(schema, document, WHAT).map(({ Config, RepoTags, Layers }) => ({
    config: Config,
    names: RepoTags ?? [],
    layers: Layers ?? [],
  }))
}
