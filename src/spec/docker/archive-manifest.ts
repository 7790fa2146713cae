import * as v from "valibot"
import { absent, checkDocument } from "../parse-document.ts"
import { DataLoss } from "../../base/errors.ts"

const MAX_IMAGES = 1_000
const MAX_LAYERS = 500
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
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new DataLoss("manifest.json of the archive is not JSON", { cause })
  }
  return checkDocument(schema, document, "manifest.json of the archive").map(({ Config, RepoTags, Layers }) => ({
    config: Config,
    names: RepoTags ?? [],
    layers: Layers ?? [],
  }))
}
