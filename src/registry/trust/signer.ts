/** Signs what has been pushed, with an OpenPGP key, with a key of sigstore's, or with both. */
import { createPublicKey } from "node:crypto"
import { readFileSync } from "node:fs"
import { pathToFileURL } from "node:url"
import { resolve } from "node:path"
import { FailedPrecondition, NotFound } from "../../base/errors.ts"
import type { RemoteReference, Signer, SigningOptions } from "../registry.ts"
import { attachSignature } from "./attachments.ts"
import { fingerprintOf, openOwn, signWithGpg } from "./gpg.ts"
import { readLookaside, writeLookaside } from "./lookaside.ts"
import { makePayload, parsePayload, PAYLOAD_TYPE, type SignedClaim } from "./payload.ts"
import { signaturePlaces } from "./registries-d.ts"
import { fullName } from "./scopes.ts"
import { isSignedBy, openPrivateKey, signBytes } from "./sigstore-key.ts"
import { ANNOTATION } from "./signature.ts"

/** See `Registries.signer`. */
export async function openSigner(options: SigningOptions): Promise<Signer> {
  const { gpg, sigstoreKey, passphrase, identity, directory } = options
  const fingerprint = gpg === undefined ? undefined : await fingerprintOf(gpg)
  const key = sigstoreKey === undefined ? undefined : await openKey(sigstoreKey, passphrase ?? "")
  return {
    async sign(ref, digest, target) {
      const claim = { digest, reference: identity ?? fullName(taggedOnly(ref)) }
      if (fingerprint !== undefined) {
        const base = directory === undefined ? signaturePlaces(ref).staging : pathToFileURL(resolve(directory)).href
        await signSimply(claim, { base, repository: ref.repository, fingerprint, passphrase })
      }
      if (key === undefined) return
      mustTakeAttachments(ref)
      const payload = makePayload(claim, PAYLOAD_TYPE.sigstore)
      const signature = Buffer.from(signBytes(key, payload)).toString("base64")
      const signed = { payload, annotations: { [ANNOTATION.signature]: signature } }
      const ours = createPublicKey(key)
      await attachSignature(target, ref, digest, signed, (annotations) =>
        isSignedBy(ours, payload, Buffer.from(annotations[ANNOTATION.signature] ?? "", "base64")),
      )
    },
  }
}

interface SimpleSigning {
  base: string
  repository: string
  fingerprint: string
  passphrase: string | undefined
}

/** Once: the same key's signature of the same claim is looked for among those that are there. */
async function signSimply(claim: SignedClaim, { base, repository, fingerprint, passphrase }: SimpleSigning) {
  const { digest } = claim
  for (const message of base.startsWith("file:") ? await readLookaside(base, repository, digest) : [])
    if (isSameClaim(await openOwn(message, fingerprint), claim)) return
  const message = await signWithGpg(makePayload(claim, PAYLOAD_TYPE.simple, Date.now()), fingerprint, passphrase)
  writeLookaside(base, repository, digest, message)
}

function isSameClaim(payload: Uint8Array | undefined, { digest, reference }: SignedClaim): boolean {
  if (payload === undefined) return false
  try {
    const held = parsePayload(payload, PAYLOAD_TYPE.simple)
    return held.digest === digest && held.reference === reference
  } catch {
    return false
  }
}

async function openKey(path: string, passphrase: string) {
  let pem: string
  try {
    pem = readFileSync(path, "utf8")
  } catch (cause) {
    throw new NotFound(`cannot read the private key "${path}"`, { field: "signing.sigstoreKey", cause })
  }
  return await openPrivateKey(pem, passphrase, path)
}

/** What was pushed by a tag is signed for the tag: who pulls it by digest takes any of the repository. */
function taggedOnly(ref: RemoteReference): RemoteReference {
  return ref.tag === undefined ? ref : { registry: ref.registry, repository: ref.repository, tag: ref.tag }
}

/** `use-sigstore-attachments: false` is a decision. */
function mustTakeAttachments(ref: RemoteReference): void {
  if (signaturePlaces(ref).attachments !== false) return
  throw new FailedPrecondition(
    `registries.d says that "${ref.registry}/${ref.repository}" has no sigstore attachments`,
    {
      hint: "set use-sigstore-attachments: true there",
    },
  )
}
