/** Whether a signature of sigstore's is what a policy asks for, by containers/image's rules. */
import type { KeyObject } from "node:crypto"
import { matchesIdentity, type IdentityRule } from "./identity.ts"
import { parsePayload, PAYLOAD_TYPE, type SignedClaim } from "./payload.ts"
import type { SigstoreSigned } from "./requirements.ts"
import { isSignedBy, publicKeyOf } from "./sigstore-key.ts"
import { ANNOTATION, type SigstoreSignature } from "./signature.ts"
import type { RemoteReference } from "../registry.ts"
import type { Digest } from "../../spec/digest.ts"

/** What a signature must be about. */
export interface Wanted {
  digests: readonly Digest[]
  ref: RemoteReference | undefined
}

/** Throws an Error that says why the signature does not count; other errors are of the policy. */
export async function checkSigstore(
  signature: SigstoreSignature,
  required: SigstoreSigned,
  wanted: Wanted,
): Promise<void> {
  const { payload, annotations } = signature
  const text = annotations[ANNOTATION.signature]
  if (text === undefined) throw new Error(`it has no ${ANNOTATION.signature}`)
  const bytes = Buffer.from(text, "base64")
  const keys = await keysFor(signature, text, required)
  if (!keys.some((key) => isSignedBy(key, payload, bytes))) throw new Error("it is of none of the policy's keys")
  checkClaim(parsePayload(payload, PAYLOAD_TYPE.sigstore), required.identity, wanted)
}

/** The keys that may have made it; of a certificate, the one key that it vouches for. */
async function keysFor(signature: SigstoreSignature, text: string, required: SigstoreSigned): Promise<KeyObject[]> {
  const { by, rekorKeys } = required
  if ("keys" in by) {
    const keys = by.keys.map(({ bytes, shown }) => publicKeyOf(bytes, shown))
    if (rekorKeys.length === 0) return keys
    const { checkLogged } = await import("./rekor.ts")
    return keys
      .filter((key) => isSignedBy(key, signature.payload, Buffer.from(text, "base64")))
      .map((key) => {
        checkLogged(signature, rekorKeys, key)
        return key
      })
  }
  const { keyOfCertificate } = await import("./certificate.ts")
  return [await keyOfCertificate(signature, by, rekorKeys)]
}

/** That what was signed is this image, under a reference that the policy takes. Throws an Error. */
export function checkClaim(claim: SignedClaim, identity: IdentityRule, { digests, ref }: Wanted): void {
  if (!digests.includes(claim.digest)) throw new Error(`it is of another image, ${claim.digest}`)
  if (matchesIdentity(identity, ref, claim.reference)) return
  const reference = claim.reference.slice(0, 300)
  // cosign signs the repository alone
  const isBare = identity.type === "matchRepoDigestOrExact" && !/[:@][^/]*$/.test(reference)
  throw new Error(
    `it is for "${reference}", which signedIdentity ${identity.type} does not take${isBare ? " (cosign signs repositories: use matchRepository)" : ""}`,
  )
}
