/** What a signature signs: a digest and a reference (containers-signature(5), and cosign's document of the same form). */
import { VERSION } from "../../base/version.ts"
import { isDigest, type Digest } from "../../spec/digest.ts"

/** `critical.type` of the two kinds. */
export const PAYLOAD_TYPE = {
  simple: "atomic container signature",
  sigstore: "cosign container image signature",
} as const

/** What a payload says. */
export interface SignedClaim {
  digest: Digest
  reference: string
}

/** Larger ones are nobody's. */
export const MAX_PAYLOAD_BYTES = 64 * 1024

/**
 * Parses a payload whose signature has been checked. Every field of `critical` must be one that is known, as it may restrict what
 * the signature is good for. Throws an Error that says what is wrong.
 */
export function parsePayload(bytes: Uint8Array, type: string): SignedClaim {
  if (bytes.length > MAX_PAYLOAD_BYTES) throw new Error(`its payload has ${bytes.length} bytes`)
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    throw new Error("its payload is not JSON")
  }
  const { critical, optional } = exactly(document, ["critical", "optional"], "its payload")
  const fields = exactly(critical, ["type", "image", "identity"], '"critical"')
  if (fields.type !== type)
    throw new Error(`its critical.type is "${String(fields.type).slice(0, 100)}", not "${type}"`)
  const digest = exactly(fields.image, ["docker-manifest-digest"], '"critical.image"')["docker-manifest-digest"]
  const reference = exactly(fields.identity, ["docker-reference"], '"critical.identity"')["docker-reference"]
  if (!isDigest(digest)) throw new Error("its critical.image has no digest")
  if (typeof reference !== "string") throw new Error("its critical.identity has no reference")
  // null: what cosign writes without annotations
  if (optional !== null && (typeof optional !== "object" || Array.isArray(optional)))
    throw new Error('its "optional" is not an object')
  return { digest, reference }
}

/** The bytes that are signed; without a time they are the same again, so that they are attached once. */
export function makePayload({ digest, reference }: SignedClaim, type: string, now?: number): Uint8Array {
  const critical = {
    identity: { "docker-reference": reference },
    image: { "docker-manifest-digest": digest },
    type,
  }
  const optional = {
    creator: `skiff ${VERSION}`,
    ...(now !== undefined && { timestamp: Math.floor(now / 1000) }),
  }
  return Buffer.from(JSON.stringify({ critical, optional }))
}

function exactly(value: unknown, names: readonly string[], what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`)
  const fields = value as Record<string, unknown>
  const other = Object.keys(fields).find((name) => !names.includes(name))
  if (other !== undefined) throw new Error(`${what} has a field "${other.slice(0, 100)}" that skiff does not know`)
  const missing = names.find((name) => !Object.hasOwn(fields, name))
  if (missing !== undefined) throw new Error(`${what} has no "${missing}"`)
  return fields
}
