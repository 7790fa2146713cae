import { InvalidArgument } from "../base/errors.ts"
import { shortId } from "../base/short-id.ts"

/** `sha256:<64 hex>` or `sha512:<128 hex>`, checked: safe to become a file name (image-spec descriptor.md#digests). */
export type Digest = string & { readonly brand: "Digest" }

/** The digest of a layer's uncompressed tar (image-spec config.md#layer-diffid). */
export type DiffId = Digest & { readonly diffId: true }

/** The digest of a layer and all below it (image-spec config.md#layer-chainid): names a snapshot. */
export type ChainId = Digest & { readonly chainId: true }

const HEX_LENGTH: Record<string, number> = { sha256: 64, sha512: 128 }

/** Whether `value` has the one form that `parseDigest` takes. */
export function isDigest(value: unknown): value is Digest {
  if (typeof value !== "string") return false
  const [, algorithm = "", hex = ""] = /^(sha256|sha512):([0-9a-f]+)$/.exec(value) ?? []
  return hex !== "" && hex.length === HEX_LENGTH[algorithm]
}

/** Parses `algorithm:hex`. Throws InvalidArgument on any other form, upper case included. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new InvalidArgument(`invalid digest "${text.slice(0, 200)}"`, { hint: "expected sha256:<64 hex digits>" })
}

/** The hex part: the blob's file name. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1)
}

/** The twelve digits that people see. */
export function shortDigest(digest: Digest): string {
  return shortId(digestHex(digest))
}

/** `sha256` of `sha256:ab…`. */
export function digestAlgorithm(digest: Digest): string {
  return digest.slice(0, digest.indexOf(":"))
}
