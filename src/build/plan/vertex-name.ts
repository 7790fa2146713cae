import { formatPlatform, parsePlatform, samePlatform, type Platform } from "../../spec/platform.ts"
import { isSkiffError } from "../../base/errors.ts"
import { expandWord, type Variables, type WordOptions } from "../../dockerfile/words.ts"
import type { PlanScope, StageState } from "./stage-state.ts"

/** `[build 2/5] RUN make`, counting the step; a stage without steps shows `text` alone. */
export function stepName(stage: StageState, { manyPlatforms }: PlanScope, text: string, triggered = false): string {
  if (stage.stepCount === 0) return text
  stage.stepIndex++
  const platform =
    manyPlatforms && stage.platform !== undefined ? `${shownPlatform(stage.platform, stage.variables)} ` : ""
  const width = String(stage.stepCount).length
  const place = `${String(stage.stepIndex).padStart(width)}/${stage.stepCount}`
  return `[${platform}${stage.shownName === "" ? "" : `${stage.shownName} `}${place}] ${triggered ? "ONBUILD " : ""}${text}`
}

/** An instruction as its vertex shows it: on one line, its keyword in capitals, its variables replaced where they have values. */
export function shownInstruction(code: string, variables: Variables, options: WordOptions): string {
  const [, keyword = "", rest = ""] = /^(\S+)([^]*)$/.exec(expandOrKeep(code, variables, options)) ?? []
  return keyword.toUpperCase() + rest
}

function expandOrKeep(code: string, variables: Variables, options: WordOptions): string {
  try {
    return expandWord(code, variables, options)
  } catch (error) {
    if (isSkiffError(error, "InvalidArgument")) return code
    throw error
  }
}

/** `linux/amd64`, and where a cross-compiler runs `linux/amd64->arm64`. */
function shownPlatform(platform: Platform, variables: Variables): string {
  const base = formatPlatform(platform)
  const target = targetOf(platform, variables)
  if (target === undefined || samePlatform(target, platform)) return base
  if (target.os !== platform.os) return `${base}->${formatPlatform(target)}`
  if (target.architecture === platform.architecture) return base
  return `${base}->${formatPlatform(target).slice(target.os.length + 1)}`
}

function targetOf(platform: Platform, variables: Variables): Platform | undefined {
  const whole = variables.get("TARGETPLATFORM")
  const architecture = variables.get("TARGETARCH")
  const os = variables.get("TARGETOS")
  try {
    if (whole) return parsePlatform(whole)
    return architecture || os
      ? parsePlatform(`${os || platform.os}/${architecture || platform.architecture}`)
      : undefined
  } catch {
    return undefined
  }
}
