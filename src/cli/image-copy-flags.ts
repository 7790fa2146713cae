import { InvalidArgument } from "../base/errors.ts"
import type { CopyOptions } from "../image/image.ts"
import type { RegistryAccess } from "../registry/registry.ts"
import { hostPlatform, parsePlatform, type Platform } from "../spec/platform.ts"
import { refused } from "./build/foreign-flag.ts"
import { decryptionKey, decryptionKeys } from "./decryption-keys.ts"
import { defined } from "../base/defined.ts"
import { UsageError } from "./errors/usage-error.ts"
import { flag, type FlagValues } from "./flag.ts"
import { COMPRESSION_FORMATS, layerForm, readCompressionLevel, SIGN_FLAGS } from "./push-flags.ts"
import { authfile, readCredentials, REGISTRY_FLAGS } from "./registry-flags.ts"
import { readBoolean } from "../spec/docker/boolean.ts"

const ENCRYPTED = "layers are decrypted, but not encrypted"

/** How the registries on both sides of a copy are spoken to, as skopeo's `copy` and `sync` say it. */
export const TWO_SIDES_FLAGS = {
  authfile,
  destAuthfile: flag.string("Path of the file with credentials for the destination", "string"),
  destCertDir: flag.string("Directory with certificates for the destination", "string"),
  destCreds: flag.of(readCredentials, "Username and password for the destination", "USER:PASSWORD"),
  destNoCreds: refused("credentials of the auth file are used where there are any", "name an empty --dest-authfile"),
  destPassword: flag.string("Password for the destination", "string"),
  destUsername: flag.string("Username for the destination", "string"),
  destRegistryToken: refused("registries ask for their tokens themselves"),
  destTlsVerify: flag.of(readBoolean, "Require HTTPS and verify certificates at the destination", "bool"),
  retryTimes: REGISTRY_FLAGS.retry,
  retryDelay: REGISTRY_FLAGS.retryDelay,
  srcAuthfile: flag.string("Path of the file with credentials for the source", "string"),
  srcCertDir: flag.string("Directory with certificates for the source", "string"),
  srcCreds: flag.of(readCredentials, "Username and password for the source", "USER:PASSWORD"),
  srcNoCreds: refused("credentials of the auth file are used where there are any", "name an empty --src-authfile"),
  srcPassword: flag.string("Password for the source", "string"),
  srcUsername: flag.string("Username for the source", "string"),
  srcRegistryToken: refused("registries ask for their tokens themselves"),
  srcTlsVerify: flag.of(readBoolean, "Require HTTPS and verify certificates at the source", "bool"),
  tlsVerify: REGISTRY_FLAGS.tlsVerify,
}

/** What of an image is copied, and in which form. */
export const COPY_FLAGS = {
  all: flag.bool("Copy the images of all platforms, with the index that names them", { short: "a" }),
  destCompress: flag.bool("Compress layers by gzip, whatever they are"),
  destCompressFormat: flag.choice(
    COMPRESSION_FORMATS,
    "Compression of layers: gzip, zstd, zstd:chunked or estargz (default: as they are)",
  ),
  destCompressLevel: flag.of(readCompressionLevel, "Compression level: 0 to 9 for gzip, 1 to 22 for zstd", "int"),
  format: flag.of(readFormat, "Format of the manifests: oci or docker (v2s2; default: as they are)", "string", {
    short: "f",
    completes: ["oci", "docker"],
  }),
  overrideArch: flag.string("Choose the image of this architecture, instead of the machine's", "ARCH"),
  overrideOs: flag.string("Choose the image of this operating system", "OS"),
  overrideVariant: flag.string("Choose the image of this variant of the architecture", "VARIANT"),
  platform: flag.of(parsePlatform, "Choose the image of this platform", "string"),
  preserveDigests: flag.bool("Fail rather than change a manifest, and so its digest"),
  removeSignatures: flag.bool("Signatures are not copied anyway"),
  decryptionKey,
  encryptLayer: refused(ENCRYPTED),
  encryptionKey: refused(ENCRYPTED),
  ...SIGN_FLAGS,
  signIdentity: flag.string("Reference that is signed, instead of the destination's", "string"),
}

type SideFlags = FlagValues<typeof TWO_SIDES_FLAGS>
type WhatFlags = Pick<
  FlagValues<typeof COPY_FLAGS>,
  | "all"
  | "decryptionKey"
  | "destCompress"
  | "destCompressFormat"
  | "destCompressLevel"
  | "format"
  | "overrideArch"
  | "overrideOs"
  | "overrideVariant"
  | "platform"
  | "preserveDigests"
>

/** What the flags say. Throws UsageError for those that contradict each other. */
export function copyOptions(flags: SideFlags & WhatFlags): Omit<CopyOptions, "onProgress" | "signal"> {
  const { all, format, preserveDigests } = flags
  const platform = platformOf(flags)
  const compressionFormat = flags.destCompressFormat ?? (flags.destCompress ? "gzip" : undefined)
  const form = layerForm({ compressionFormat, compressionLevel: flags.destCompressLevel, forceCompression: undefined })
  if (all && platform !== undefined) throw new UsageError("--all and a platform cannot both be set")
  const keys = decryptionKeys(flags.decryptionKey)
  return {
    all,
    preserveDigests,
    ...(keys !== undefined && { decryptionKeys: keys }),
    source: sourceAccess(flags),
    target: targetAccess(flags),
    ...(format !== undefined && { format }),
    ...(form !== undefined && { form }),
    ...(platform !== undefined && { platform }),
  }
}

/** How the source is spoken to. */
function sourceAccess(flags: SideFlags): RegistryAccess {
  return {
    ...retriesOf(flags),
    ...defined({
      authFile: flags.srcAuthfile ?? flags.authfile,
      certDir: flags.srcCertDir,
      credentials: flags.srcCreds ?? account("src", flags.srcUsername, flags.srcPassword),
      tlsVerify: flags.srcTlsVerify ?? flags.tlsVerify,
    }),
  }
}

function targetAccess(flags: SideFlags): RegistryAccess {
  return {
    ...retriesOf(flags),
    ...defined({
      authFile: flags.destAuthfile ?? flags.authfile,
      certDir: flags.destCertDir,
      credentials: flags.destCreds ?? account("dest", flags.destUsername, flags.destPassword),
      tlsVerify: flags.destTlsVerify ?? flags.tlsVerify,
    }),
  }
}

function account(side: "src" | "dest", username: string | undefined, password: string | undefined) {
  if (username === undefined && password === undefined) return undefined
  if (username === undefined || password === undefined)
    throw new UsageError(`--${side}-username and --${side}-password go together`)
  return { username, password }
}

function retriesOf({ retryTimes, retryDelay }: SideFlags): RegistryAccess {
  return defined({ retries: retryTimes, retryDelayMs: retryDelay })
}

/** The platform that is chosen; undefined: this machine's. */
export function platformOf(
  flags: Pick<WhatFlags, "overrideArch" | "overrideOs" | "overrideVariant" | "platform">,
): Platform | undefined {
  const { overrideArch: arch, overrideOs: os, overrideVariant: variant, platform } = flags
  if (arch === undefined && os === undefined && variant === undefined) return platform
  if (platform !== undefined) throw new UsageError("--platform and --override-… cannot both be set")
  const host = hostPlatform()
  const parts = [os ?? host.os, arch ?? host.architecture, ...(variant === undefined ? [] : [variant])]
  return parsePlatform(parts.join("/"))
}

function readFormat(text: string): "oci" | "docker" {
  if (text === "oci") return text
  if (text === "docker" || text === "v2s2") return "docker"
  throw new InvalidArgument("must be one of oci, docker, v2s2")
}
