/** Flags of `run` and `create` that say how a missing image is pulled: those of `pull`. */
import { defined } from "../../base/defined.ts"
import type { ContainerOptions } from "../../container/container.ts"
import { formatPlatform } from "../../spec/platform.ts"
import { refused } from "../build/foreign-flag.ts"
import { flag, type FlagValues } from "../flag.ts"
import { PLATFORM_PART_FLAGS, platformOfParts } from "../platform-flags.ts"
import { REGISTRY_FLAGS, registryAccess } from "../registry-flags.ts"

export const IMAGE_SOURCE_FLAGS = {
  ...REGISTRY_FLAGS,
  ...PLATFORM_PART_FLAGS,
  decryptionKey: refused("images are decrypted as they are pulled", "skiff pull --decryption-key KEY IMAGE first"),
  platform: flag.string("Set the platform of a multi-platform image"),
}

/** The registry's part is undefined when nothing is asked for. */
export function imageSourceOptions(
  flags: FlagValues<typeof IMAGE_SOURCE_FLAGS>,
): Pick<ContainerOptions, "platform" | "registry"> {
  const parts = platformOfParts(flags, flags.platform !== undefined)
  const registry = defined(registryAccess(flags))
  return {
    ...defined({ platform: parts === undefined ? flags.platform : formatPlatform(parts) }),
    ...(Object.keys(registry).length > 0 && { registry }),
  }
}
