/** The list of a manifest's referrers where a registry keeps none itself (distribution spec, "Referrers Tag Schema"). */
import { createHash } from "node:crypto"
import { digestAlgorithm, digestHex, parseDigest, type Digest } from "../../spec/digest.ts"
import { MediaType, type Descriptor, type ImageIndex } from "../../spec/oci-image.ts"
import { parseManifest } from "../../spec/parse-manifest.ts"
import { DataLoss } from "../../base/errors.ts"

/** The specification's own limits: so many characters of each part. */
const TAG_PARTS = { algorithm: 32, hex: 64 }

/**
 * The tag that keeps the referrers of a manifest where the registry has no list (distribution spec, "Referrers Tag Schema").
 */
export function referrersTag(digest: Digest): string {
  return `${digestAlgorithm(digest).slice(0, TAG_PARTS.algorithm)}-${digestHex(digest).slice(0, TAG_PARTS.hex)}`
}

/**
 * The list with `referrer`; undefined where it is in it already. `held`: the list as the registry has it. Throws DataLoss
 * where something else has that tag: it stays as it is.
 */
export function withReferrer(
  held: Uint8Array | undefined,
  { mediaType, digest, size, artifactType, annotations }: Descriptor,
): { bytes: Uint8Array; descriptor: Descriptor } | undefined {
  const { manifests, ...rest } = held === undefined ? EMPTY : parseList(held)
  if (manifests.some((each) => each.digest === digest)) return undefined
  const entry: Descriptor = {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  }
  const bytes = Buffer.from(JSON.stringify({ ...rest, manifests: [...manifests, entry] }))
  const hash = createHash("sha256").update(bytes).digest("hex")
  return {
    bytes,
    descriptor: { mediaType: MediaType.ociIndex, digest: parseDigest(`sha256:${hash}`), size: bytes.length },
  }
}

/** What a list of referrers names. Throws DataLoss for what is none. */
export function referrersIn(bytes: Uint8Array): Descriptor[] {
  return [...parseList(bytes).manifests]
}

const EMPTY: ImageIndex = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }

function parseList(bytes: Uint8Array): ImageIndex {
  const parsed = parseManifest(bytes, undefined, "list of referrers")
  if (parsed.kind === "index") return parsed.index
  throw new DataLoss("the tag for the list of referrers is an image", { hint: "remove that tag from the registry" })
}
