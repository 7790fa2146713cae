import { NotFound } from "../base/errors.ts"
import type { Image, Images, PullOptions } from "../image/image.ts"
import type { Digest } from "../spec/digest.ts"
import type { ImageConfig } from "../spec/oci-image.ts"
import { samePlatform, formatPlatform, type Platform } from "../spec/platform.ts"
import type { BuildRequest } from "./build.ts"

/** The image of a FROM or --from, which the store has. */
export interface ResolvedBase {
  id: Digest
  config: ImageConfig
  /** What the name pointed at. */
  digest?: Digest
}

/** Finds the image of a FROM or --from in the store, or pulls it, as `--pull` says. Throws NotFound, Unavailable. */
export async function resolveBase(
  images: Images,
  name: string,
  platform: Platform,
  request: Pick<BuildRequest, "pull" | "access">,
  options: Pick<PullOptions, "onProgress" | "signal">,
): Promise<ResolvedBase> {
  const held = request.pull === "always" ? undefined : ofPlatform(images.find(name), platform)
  const image = held ?? (await pull(images, name, platform, request, options))
  images.used(image)
  const digest = image.repoDigests[0]?.split("@")[1] as Digest | undefined
  return { id: image.id, config: await images.config(image), ...(digest === undefined ? {} : { digest }) }
}

function ofPlatform(image: Image | undefined, platform: Platform): Image | undefined {
  return image && samePlatform(image.platform, platform) ? image : undefined
}

async function pull(
  images: Images,
  name: string,
  platform: Platform,
  { pull: policy, access }: Pick<BuildRequest, "pull" | "access">,
  options: Pick<PullOptions, "onProgress" | "signal">,
): Promise<Image> {
  if (policy === "never")
    throw new NotFound(`no image for ${formatPlatform(platform)}: "${name}"`, {
      field: "pull",
      hint: [{ do: "pull", image: name, platform: formatPlatform(platform) }, "build with another pull policy"],
    })
  const result = await images.pull(name, {
    ...access,
    platform,
    isMissing: policy !== "always",
    ...options,
  })
  return result.image
}
