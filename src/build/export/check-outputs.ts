import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import type { BuildRequest } from "../build.ts"

type Checked = Pick<BuildRequest, "outputs" | "platforms" | "tags" | "annotations" | "attestations">

/** Throws InvalidArgument or Unsupported for what could not be made of any result: before the work, not after it. */
export function checkOutputs({ outputs, platforms, tags, annotations, attestations = [] }: Checked): void {
  const types = new Set(outputs.map(({ type }) => type))
  if (types.has("registry") && tags.length === 0)
    throw new InvalidArgument("tag is needed when pushing to registry", { hint: "name it: -t REGISTRY/NAME:TAG" })
  if (types.has("docker") && platforms.length > 1)
    throw new Unsupported(`output of type "docker" holds one platform, the build has ${platforms.length}`, {
      hint: "use -o type=oci, or build one of them at a time: --platform",
    })
  if (types.has("docker") && attestations.length > 0)
    throw new Unsupported('output of type "docker" cannot hold attestations: it has no manifests', {
      hint: "use -o type=oci, or leave --attest, --sbom and --provenance out",
    })
  const ofIndex = annotations.find(({ of }) => of.startsWith("index"))
  if (ofIndex !== undefined && platforms.length < 2)
    throw new InvalidArgument(`annotation "${ofIndex.key}" is for an index, and one platform has none`, {
      hint: "annotate the manifest, or build several platforms",
    })
}
