import { InvalidArgument } from "../base/errors.ts"

/** Why the flags that sign an image as it is pushed are refused. */
export const UNSIGNED = "images are not signed"

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
