import { InvalidArgument } from "../base/errors.ts"
import type { LayerForm } from "../image/image.ts"
import type { SigningOptions } from "../registry/registry.ts"
import { refused } from "./build/foreign-flag.ts"
import { UsageError } from "./errors/usage-error.ts"
import { flag } from "./flag.ts"
import type { SigningWords } from "./signing.ts"

/** Podman's flags that sign what is pushed. */
export const SIGN_FLAGS = {
  signBy: flag.string("Sign with the OpenPGP key of this fingerprint, in a lookaside store", "FINGERPRINT"),
  signBySigstore: flag.string("Sign as a file of sigstore signing parameters says", "PARAM-FILE"),
  signBySigstorePrivateKey: flag.string("Sign with this sigstore private key, beside the image", "FILE"),
  signBySqFingerprint: refused("Sequoia's keys are not read", "name a key of GnuPG's: --sign-by"),
  signPassphraseFile: flag.string("File with the passphrase of the key", "FILE"),
}

/** Undefined where nothing is to be signed: then nothing of signing is loaded. */
export async function signingOf(flags: SigningWords): Promise<SigningOptions | undefined> {
  const { signBy, signBySigstore, signBySigstorePrivateKey } = flags
  if ([signBy, signBySigstore, signBySigstorePrivateKey].every((each) => each === undefined)) {
    if (flags.signPassphraseFile !== undefined) throw new UsageError("--sign-passphrase-file needs a key to sign with")
    return undefined
  }
  return await (await import("./signing.ts")).signingOptions(flags)
}

/** Podman's formats of compression, and eStargz. */
export const COMPRESSION_FORMATS = ["gzip", "zstd", "zstd:chunked", "estargz"] as const

/** What the flags of compression ask for; undefined: layers as they are, gzip for what is not compressed. */
export function layerForm(flags: {
  compressionFormat: (typeof COMPRESSION_FORMATS)[number] | undefined
  compressionLevel: number | undefined
  forceCompression: boolean | undefined
}): LayerForm | undefined {
  const { compressionFormat, compressionLevel: level, forceCompression } = flags
  const every = forceCompression ?? compressionFormat !== undefined
  if (compressionFormat === undefined && level === undefined && !every) return undefined
  return { compression: compressionFormat ?? "gzip", every, ...(level === undefined ? {} : { level }) }
}

/** The level of `--compression-level`, of gzip or zstd. Throws InvalidArgument. */
export function readCompressionLevel(text: string): number {
  if (!/^\d{1,2}$/.test(text) || Number(text) > 22) throw new InvalidArgument("expected a number from 0 to 22")
  return Number(text)
}

/** The form of a manifest that `--format` names. Throws InvalidArgument. */
export function readManifestFormat(text: string): "oci" | "docker" {
  if (text === "oci") return text
  if (text === "docker" || text === "v2s2") return "docker"
  throw new InvalidArgument("must be one of oci, docker, v2s2")
}
