/**
 * Two kinds of signatures are known, both of which name a digest and a reference: simple signing (OpenPGP, in a lookaside store
 * beside the registry) and sigstore's (ECDSA, RSA or Ed25519, as an attachment in the registry itself). A signature says nothing until
 * its maker, its digest and its reference have all been checked; a refusal says which of them failed.
 */

/** A detached signature as cosign attaches it to an image: the payload is the blob, the rest its annotations. */
export interface SigstoreSignature {
  payload: Uint8Array
  annotations: Readonly<Record<string, string>>
}

/** Cosign's names for the annotations. */
export const ANNOTATION = {
  signature: "dev.cosignproject.cosign/signature",
  rekor: "dev.sigstore.cosign/bundle",
  certificate: "dev.sigstore.cosign/certificate",
  chain: "dev.sigstore.cosign/chain",
} as const
