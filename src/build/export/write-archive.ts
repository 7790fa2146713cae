import type { Image } from "../../image/image.ts"
import type { BuildOutput } from "../build.ts"
import type { ExportContext } from "./export-results.ts"
import { writeBytes } from "./write-files.ts"

/** The image as an archive that docker, podman and skopeo load. */
export async function writeArchive(
  images: readonly Image[],
  { type, path, compression = "gzip" }: BuildOutput & { type: "docker" | "oci" },
  { host, request }: Pick<ExportContext, "host" | "request">,
): Promise<void> {
  const [image] = images
  if (image === undefined) return
  const names = request.tags.length > 0 ? request.tags : [image.id]
  if (type === "docker") return await writeBytes(path, host.images.save(names, "docker-archive"))
  const options = compression === "uncompressed" ? {} : { compression }
  await writeBytes(path, host.images.save(names, "oci-archive", options))
}
