import type { ImageSet } from "../../image/image.ts"
import type { BuildOutput } from "../build.ts"
import type { ExportContext } from "./context.ts"
import { writeBytes } from "./write-files.ts"

/** The images as an archive that docker, podman and skopeo load, or as the directory of one. */
export async function writeArchive(
  set: ImageSet,
  output: BuildOutput & { type: "docker" | "oci" | "oci-directory" },
  { deps, request }: Pick<ExportContext, "deps" | "request">,
): Promise<void> {
  if (output.type === "docker")
    return await writeBytes(output.path, deps.images.saveSet(set, request.tags, "docker-archive"))
  const options = { form: output.form ?? { compression: "gzip" } } as const
  if (output.type === "oci-directory")
    return await deps.images.saveSetDirectory(set, request.tags, output.path, options)
  await writeBytes(output.path, deps.images.saveSet(set, request.tags, "oci-archive", options))
}
