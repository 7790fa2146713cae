import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import type { BuildRequest } from "../build.ts"

type Checked = Pick<BuildRequest, "outputs" | "platforms" | "tags" | "annotations" | "attestations">

/** Throws InvalidArgument or Unsupported for what could not be made of any result: before the work, not after it. */
export function checkOutputs({ outputs, platforms, tags, annotations, attestations = [] }: Checked): void {
  const types = new Set(outputs.map(({ type }) => type))
  if (types.has("registry") && tags.length === 0)
    throw new InvalidArgument("tag is needed when pushing to registry", {
      hint: { do: "set", field: "tags", value: "REGISTRY/NAME:TAG" },
    })
  if (types.has("docker") && platforms.length > 1)
    throw new Unsupported(`output of type "docker" holds one platform, the build has ${platforms.length}`, {
      field: "outputs",
      hint: [{ do: "set", field: "outputs", value: "type=oci" }, "build one platform at a time"],
    })
  if (types.has("docker") && attestations.length > 0)
    throw new Unsupported('output of type "docker" cannot hold attestations: it has no manifests', {
      field: "outputs",
      hint: [
        { do: "set", field: "outputs", value: "type=oci" },
        { do: "omit", field: "attestations" },
      ],
    })
  const ofIndex = annotations.find(({ of }) => of.startsWith("index"))
  if (ofIndex !== undefined && platforms.length < 2)
    throw new InvalidArgument(`annotation "${ofIndex.key}" is for an index, and one platform has none`, {
      hint: "annotate the manifest, or build several platforms",
    })
}
