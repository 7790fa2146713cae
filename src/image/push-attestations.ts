import { isSkiffError } from "../base/errors.ts"
import type { ContentStore } from "../content/content.ts"
import type { RegistryTarget } from "../registry/registry.ts"
import { EMPTY_DOCUMENT } from "../spec/in-toto.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import { attachedTo } from "./attestations.ts"
import type { NewDocument } from "./documents.ts"
import type { ImageMember } from "./image.ts"

/**
 * Sends what is attested of an image whose manifest is in the registry as `subject`, and has the registry list it with that.
 * `name`: what the image is called there, where it has a name. Gives how many there were.
 */
export async function pushAttestations(
  content: ContentStore,
  target: RegistryTarget,
  { attestations, image: { platform } }: ImageMember,
  subject: Descriptor,
  name: string | undefined,
): Promise<number> {
  const names = name === undefined ? [] : [name]
  try {
    await upload(target, EMPTY_DOCUMENT)
    for (const attestation of attestations) {
      const { statement, manifest } = await attachedTo(content, attestation, subject, { names, platform })
      await upload(target, statement)
      await target.putReferrer(manifest.bytes, manifest.descriptor, subject)
    }
  } catch (error) {
    throw isSkiffError(error, "Cancelled") ? error : notAttached(error, subject)
  }
  return attestations.length
}

async function upload(target: RegistryTarget, { bytes, descriptor }: NewDocument): Promise<void> {
  await target.upload(descriptor, async function* (offset) {
    yield bytes.subarray(offset)
  })
}

/** Some registries take images alone. */
function notAttached(error: unknown, { digest }: Descriptor): unknown {
  if (!isSkiffError(error)) return error
  const hint = `the image itself was pushed as ${digest}; if the registry does not accept artifacts, build without attestations`
  return error.restated(`cannot attach the attestations: ${error.message}`, { hint })
}
