import { hostPlatform, parsePlatform, type Platform } from "../spec/platform.ts"
import { flag, type FlagValues } from "./flag.ts"
import { UsageError } from "./errors/usage-error.ts"

/** podman's and buildah's way to say a platform in parts. */
export const PLATFORM_PART_FLAGS = {
  arch: flag.string("Use ARCH instead of the architecture of the machine", "ARCH"),
  os: flag.string("Use OS instead of the running OS", "OS"),
  variant: flag.string("Use VARIANT instead of the running architecture variant", "VARIANT"),
}

/** The platform that the parts say, with this host's for those left out; undefined without any. Throws InvalidArgument. */
export function platformOfParts(
  { arch, os, variant }: FlagValues<typeof PLATFORM_PART_FLAGS>,
  whole: boolean,
): Platform | undefined {
  if (os === undefined && arch === undefined && variant === undefined) return undefined
  if (whole) throw new UsageError("--platform option can not be specified with --arch or --os")
  const host = hostPlatform()
  return parsePlatform(
    [os ?? host.os, arch ?? host.architecture, ...(variant === undefined ? [] : [variant])].join("/"),
  )
}
