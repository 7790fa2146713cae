import type { WorkingContainer } from "../../../build/build.ts"
import { VERSION } from "../../../base/version.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { printDocuments } from "../../output/document.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Inspect the configuration of a working container",
  args: [arg.one("CONTAINER")],
  flags: DOCUMENT_FORMAT_FLAGS,
  async run({ args: [name], flags, engine, out }) {
    const document = buildahDocument((await engine.workingContainers()).get(name))
    // buildah prints the document itself, not a list of one
    if (flags.format === undefined) out.json(document)
    else printDocuments(out, [document], flags.format)
  },
})

/** The fields of buildah's inspect document that people read. */
function buildahDocument(container: WorkingContainer): object {
  const { id, name, imageName, imageId, createdAt, mountPoint, draft } = container
  const { annotations, comment, createdBy, ...image } = draft
  const config = { created: createdAt.toISOString(), ...image }
  return {
    Type: `skiff ${VERSION}`,
    FromImage: imageId === undefined ? "" : imageName,
    FromImageID: imageId?.replace("sha256:", "") ?? "",
    Container: name,
    ContainerID: id,
    MountPoint: mountPoint ?? "",
    ImageAnnotations: annotations,
    ImageComment: comment ?? "",
    ImageCreatedBy: createdBy ?? "",
    OCIv1: config,
    Docker: { ...config, container_config: image.config },
  }
}
