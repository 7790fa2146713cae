import { parseManifest } from "../../spec/parse-manifest.ts"
import { hostPlatform, type Platform } from "../../spec/platform.ts"
import { choosePlatform } from "../choose-platform.ts"
import type { CopySource } from "./copy-source.ts"
import { resolveChild } from "./copy-tree.ts"

/** Of an index the image for one platform; what is none is it already. Throws NotFound with the platforms there are. */
export async function oneImage(
  from: CopySource,
  { platform = hostPlatform() }: { platform?: Platform },
): Promise<CopySource> {
  const { top, shown } = from
  const parsed = parseManifest(top.bytes, top.descriptor.mediaType, `manifest of ${shown}`)
  if (parsed.kind === "manifest") return from
  const child = await resolveChild(from, choosePlatform(parsed.index, platform, shown))
  const indexes = [top.descriptor.digest, ...(from.indexes ?? [])]
  return await oneImage({ ...from, top: child, indexes }, { platform })
}
