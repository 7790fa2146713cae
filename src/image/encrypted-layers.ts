/** Layers that only who has a key can read (ocicrypt, "Encrypted Container Images"): what they are known by. */
import { Unsupported } from "../base/errors.ts"
import type { Descriptor } from "../spec/oci-image.ts"

const SUFFIX = "+encrypted"

/** Whether the blob is ciphertext. */
export function isEncrypted({ mediaType }: Pick<Descriptor, "mediaType">): boolean {
  return mediaType.endsWith(SUFFIX)
}

/** The media type of what is in it. */
export function decryptedType(mediaType: string): string {
  return mediaType.slice(0, -SUFFIX.length)
}

/** Throws Unsupported for an image with encrypted layers: whoever goes on needs their bytes. */
export function refuseEncrypted(layers: readonly Descriptor[], shown: string): void {
  const encrypted = layers.filter(isEncrypted)
  if (encrypted.length === 0) return
  throw new Unsupported(`${shown} is encrypted: ${encrypted.length} of its ${layers.length} layers`, {
    hint: ["it is decrypted as it is pulled or copied, with a private key that it was made for", SET_KEY],
  })
}

const SET_KEY = { do: "set", field: "decryptionKeys" } as const
