import { InvalidArgument } from "../../base/errors.ts"
import type { ImageAnnotation } from "../../build/build.ts"
import { parseKeyValue } from "../../spec/docker/environment.ts"
import { parsePlatform } from "../../spec/platform.ts"

type Level = Pick<ImageAnnotation, "of" | "platform">

const LEVELS: readonly ImageAnnotation["of"][] = ["manifest", "index", "manifest-descriptor", "index-descriptor"]

/** `--annotation [LEVEL[PLATFORM],…:]KEY=VALUE`, as buildx reads it: one for each level. Throws InvalidArgument. */
export function readAnnotation(text: string): ImageAnnotation[] {
  const [, levels, rest = text] = /^([a-z-]+(?:\[[^\]=]*\])?(?:,[a-z-]+(?:\[[^\]=]*\])?)*):(.*)$/s.exec(text) ?? []
  const [key, value] = parseKeyValue(rest)
  return (levels ?? "manifest").split(",").map((level) => Object.assign(readLevel(level), { key, value }))
}

/** Of `--output`: `annotation.KEY`, `annotation-index.KEY`, `annotation-manifest[linux/amd64].KEY`; undefined for other keys. */
export function readAnnotationKey(key: string): (Level & { key: string }) | undefined {
  const [, level, name] = /^annotation(?:-((?:manifest|index)[a-z-]*(?:\[[^\]]*\])?))?\.(.+)$/s.exec(key) ?? []
  return name === undefined ? undefined : { ...readLevel(level ?? "manifest"), key: name }
}

function readLevel(text: string): Level {
  const [, name, platform] = /^([a-z-]+)(?:\[([^\]]*)\])?$/.exec(text) ?? []
  const of = LEVELS.find((each) => each === name)
  if (of === undefined || (platform !== undefined && of.startsWith("index")))
    throw new InvalidArgument(`unknown annotation type "${text}"`, {
      hint: `valid: ${LEVELS.join(", ")}; those of a manifest with [OS/ARCH]`,
    })
  return { of, ...(platform === undefined ? {} : { platform: parsePlatform(platform) }) }
}
