import { isSkiffError, SkiffError } from "../../base/errors.ts"
import { formatPlatform, hostPlatform, type Platform } from "../../spec/platform.ts"
import { runsPlatform } from "../../sys/binfmt.ts"

/**
 * Why a program did not run: where it is of a platform that this machine has no processor and no emulator for, that is it. A
 * program of this machine may well run in such an image, so nobody is asked beforehand.
 */
export function explainForeign(error: unknown, platform: Platform): unknown {
  if (!isSkiffError(error, "FailedPrecondition") || runsPlatform(platform)) return error
  const { code, message, exitCode } = error
  const wanted = formatPlatform(platform)
  return new SkiffError(
    code,
    `${message}; this machine (${formatPlatform(hostPlatform())}) cannot run programs for ${wanted}`,
    {
      hint: `install an emulator: apt-get install qemu-user-static; or run the step where the build runs: FROM --platform=$BUILDPLATFORM, then COPY --from`,
      cause: error,
      exitCode,
    },
  )
}
