import { formatPlatform, type Platform } from "../../spec/platform.ts"
import type { Dockerfile } from "../../dockerfile/dockerfile.ts"
import { atSource } from "../../dockerfile/source-error.ts"
import { expandWord } from "../../dockerfile/words.ts"

type BuildArgs = ReadonlyMap<string, string>

/**
 * The predefined arguments (Dockerfile reference, "Automatic platform ARGs in the global scope"). A build arg of the same
 * name wins.
 */
export function platformArguments(
  target: Platform,
  build: Platform,
  stage: string,
  given: BuildArgs,
): Map<string, string> {
  const entries = [
    ...argumentsOf("BUILD", build),
    ...argumentsOf("TARGET", target),
    ["TARGETSTAGE", stage || "default"] as const,
  ]
  return new Map(entries.map(([name, value]) => [name, given.get(name) ?? value]))
}

function argumentsOf(prefix: string, platform: Platform): [string, string][] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform["os.version"] ?? ""],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, shownVariant(platform)],
  ]
}

// containerd's platforms.Normalize: arm64's v8 goes without saying
function shownVariant({ architecture, variant = "" }: Platform): string {
  return architecture === "arm64" && variant === "v8" ? "" : variant
}

/** The global scope: the predefined arguments, then those before the first FROM, each seeing the ones above it. */
export function globalArguments(dockerfile: Dockerfile, predefined: BuildArgs, given: BuildArgs): Map<string, string> {
  const scope = new Map(predefined)
  for (const { args, source } of dockerfile.args)
    for (const { key, value } of args) {
      const expanded = () => (value === undefined ? undefined : expandWord(value, scope, { escape: dockerfile.escape }))
      const result = given.get(key) ?? atSource(dockerfile, source, expanded)
      if (result !== undefined) scope.set(key, result)
    }
  return scope
}
