import type { ImageSet } from "../../image/image.ts"
import type { BuildOutput } from "../build.ts"
import type { ExportContext } from "./export-results.ts"
import { writeBytes } from "./write-files.ts"

/** The images as an archive that docker, podman and skopeo load. */
export async function writeArchive(
  set: ImageSet,
  output: BuildOutput & { type: "docker" | "oci" },
  { host, request }: Pick<ExportContext, "host" | "request">,
): Promise<void> {
  const bytes =
    output.type === "docker"
      ? host.images.saveSet(set, request.tags, "docker-archive")
      : host.images.saveSet(set, request.tags, "oci-archive", { form: output.form ?? { compression: "gzip" } })
  await writeBytes(output.path, bytes)
}
