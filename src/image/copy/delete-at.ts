import { InvalidArgument } from "../../base/errors.ts"
import type { ImagesDeps } from "../deps.ts"
import type { DeleteOptions } from "../image.ts"
import { remoteReference } from "./place.ts"

/** See `Images.deleteAt`. */
export async function deleteAt(deps: ImagesDeps, name: string, options: DeleteOptions = {}): Promise<void> {
  const { tag, ...place } = remoteReference(name)
  const { tagOnly, ...access } = options
  if (tagOnly && (tag === undefined || place.digest !== undefined))
    throw new InvalidArgument(`"${name}" names no tag alone`)
  const registries = await deps.registries()
  const target = await registries.openTarget(place, { ...access, deletes: true })
  if (tagOnly && tag !== undefined) return await target.remove({ tag })
  // the registry itself is asked by digest: a mirror may have another manifest under the tag
  const digest = place.digest ?? (await target.digestOf(tag ?? "latest"))
  await target.remove({ digest })
}
