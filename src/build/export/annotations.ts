import type { Annotations, ImageSet } from "../../image/image.ts"
import { samePlatform, type Platform } from "../../spec/platform.ts"
import type { BuildRequest, ImageAnnotation } from "../build.ts"

/** Those of one document, for one platform. Later ones win. */
export function annotationsOf(
  { annotations }: Pick<BuildRequest, "annotations">,
  of: ImageAnnotation["of"],
  platform?: Platform,
): Annotations {
  const own = annotations.filter(
    (each) => each.of === of && (each.platform === undefined || (platform && samePlatform(each.platform, platform))),
  )
  return Object.fromEntries(own.map(({ key, value }) => [key, value]))
}

/** Of the index itself, and of the descriptor that names it. */
export function indexAnnotations(request: Pick<BuildRequest, "annotations">): ImageSet["annotations"] {
  const [index, descriptor] = [annotationsOf(request, "index"), annotationsOf(request, "index-descriptor")]
  return {
    ...(Object.keys(index).length === 0 ? {} : { index }),
    ...(Object.keys(descriptor).length === 0 ? {} : { descriptor }),
  }
}
