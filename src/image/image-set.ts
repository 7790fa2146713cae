import { hostPlatform, samePlatform } from "../spec/platform.ts"
import { MAX_MANIFEST_BYTES } from "../spec/oci-image.ts"
import { parseManifest } from "../spec/parse-manifest.ts"
import type { Image, ImageMember, ImageSet } from "./image.ts"
import type { ImagesDeps } from "./deps.ts"
import type { ImageRecords } from "./records.ts"

/** What a name leads to, with all that goes out with it; `name` is the recorded one, undefined for an id. */
export async function imageSetOf(
  { content }: Pick<ImagesDeps, "content">,
  records: ImageRecords,
  image: Image,
  name: string | undefined,
): Promise<ImageSet> {
  const index = name === undefined ? undefined : records.index(name)
  // members may have been removed by force: what is left is no index any more
  if (index === undefined || index.members.length < 2) return { members: [memberOf(records, image)] }
  const bytes = await content.readAll(index.digest, MAX_MANIFEST_BYTES)
  const parsed = parseManifest(bytes, undefined, `index of ${name}`)
  if (parsed.kind !== "index") return { members: [memberOf(records, image)] }
  const { manifests, annotations } = parsed.index
  return {
    members: index.members.map((member) => {
      const own = manifests.find(({ digest }) => digest === member.manifest.digest)?.annotations
      return Object.assign(memberOf(records, member), own && { annotations: own })
    }),
    ...(annotations === undefined ? {} : { annotations: { index: annotations } }),
  }
}

/** The member that is meant where one alone can be: this machine's, else the first. */
export function mainMember<M extends Pick<ImageMember, "image">>(members: readonly M[]): M | undefined {
  return members.find(({ image }) => samePlatform(image.platform, hostPlatform())) ?? members[0]
}

function memberOf(records: ImageRecords, image: Image): ImageMember {
  return { image, attestations: records.attestations(image.id) }
}
