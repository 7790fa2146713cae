import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import type { BuildRequest } from "../build.ts"

/** Throws InvalidArgument or Unsupported for what could not be made of any result: before the work, not after it. */
export function checkOutputs({ outputs, platforms, tags }: Pick<BuildRequest, "outputs" | "platforms" | "tags">): void {
  const types = new Set(outputs.map(({ type }) => type))
  if (types.has("registry") && tags.length === 0)
    throw new InvalidArgument("tag is needed when pushing to registry", { hint: "name it: -t REGISTRY/NAME:TAG" })
  if (platforms.length < 2) return
  for (const type of ["docker", "oci", "registry"] as const)
    if (types.has(type))
      throw new Unsupported(`output of type "${type}" holds one platform, the build has ${platforms.length}`, {
        hint: "build one of them at a time: --platform",
      })
}
