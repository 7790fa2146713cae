import { NotFound } from "../base/errors.ts"
import type { ImageMember, Images } from "../image/image.ts"
import { formatPlatform, parsePlatform, type Platform } from "../spec/platform.ts"
import { flag } from "./flag.ts"

/** `--platform` of commands that look at one image of an index. */
export const MEMBER_PLATFORM_FLAG = flag.of(
  parsePlatform,
  "Choose the image of this platform, where a name leads to several",
  "string",
)

/** What the name leads to for a platform. Throws NotFound with the platforms that there are. */
export async function imageMember(images: Images, name: string, platform: Platform): Promise<ImageMember> {
  const set = await images.findSet(name)
  const members = set?.members ?? [{ image: images.get(name), attestations: [] }]
  const wanted = formatPlatform(platform)
  const found = members.find(({ image }) => formatPlatform(image.platform) === wanted)
  if (found !== undefined) return found
  throw new NotFound(`"${name}" has no image for ${wanted}`, {
    hint: { valid: members.map(({ image }) => formatPlatform(image.platform)) },
    data: { object: "image", name },
  })
}
