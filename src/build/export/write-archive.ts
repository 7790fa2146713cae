import type { ImageSet } from "../../image/image.ts"
import type { BuildOutput } from "../build.ts"
import type { ExportContext } from "./export-results.ts"
import { writeBytes } from "./write-files.ts"

/** The images as an archive that docker, podman and skopeo load. */
export async function writeArchive(
  set: ImageSet,
  { type, path, form = { compression: "gzip" } }: BuildOutput & { type: "docker" | "oci" },
  { host, request }: Pick<ExportContext, "host" | "request">,
): Promise<void> {
  const format = type === "docker" ? "docker-archive" : "oci-archive"
  await writeBytes(path, host.images.saveSet(set, request.tags, format, { form }))
}
