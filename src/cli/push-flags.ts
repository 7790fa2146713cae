import { InvalidArgument } from "../base/errors.ts"
import type { LayerForm } from "../image/image.ts"
import { refused } from "./build/foreign-flag.ts"

/** Why the flags that sign an image as it is pushed are refused. */
export const UNSIGNED = "images are not signed"

/** Podman's flags that sign what is pushed, each refused for this reason. */
export const signFlags = (reason: string, hint?: string) => ({
  signBy: refused(reason, hint),
  signBySigstore: refused(reason, hint),
  signBySigstorePrivateKey: refused(reason, hint),
  signBySqFingerprint: refused(reason, hint),
  signPassphraseFile: refused(reason, hint),
})

/** What the flags of compression ask for; undefined: layers as they are, gzip for what is not compressed. */
export function layerForm(flags: {
  compressionFormat: "gzip" | "zstd" | undefined
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
