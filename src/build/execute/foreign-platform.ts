import { isSkiffError } from "../../base/errors.ts"
import { formatPlatform, hostPlatform, type Platform } from "../../spec/platform.ts"
import { installCommand } from "../../sys/install-command.ts"
import { runsPlatform } from "../../sys/binfmt.ts"

/**
 * Why a program did not run: where it is of a platform that this machine has no processor and no emulator for, that is it. A
 * program of this machine may well run in such an image, so nobody is asked beforehand.
 */
export function explainForeign(error: unknown, platform: Platform): unknown {
  if (!isSkiffError(error, "FailedPrecondition") || runsPlatform(platform)) return error
  const here = formatPlatform(hostPlatform())
  return error.restated(
    `${error.message}; this machine (${here}) cannot run programs for ${formatPlatform(platform)}`,
    {
      hint: [
        `install an emulator: ${installCommand({ debian: "qemu-user-static" })}`,
        "run the step where the build runs: FROM --platform=$BUILDPLATFORM, then COPY --from",
      ],
    },
  )
}
