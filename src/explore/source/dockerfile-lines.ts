import { readFileSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { parseDockerfile } from "../../dockerfile/parse-dockerfile.ts"
import type { PastBuild } from "../../build/build.ts"
import type { Digest } from "../../spec/digest.ts"
import type { HistoryEntry } from "../../spec/oci-image.ts"
import type { DockerfileLine } from "../explore.ts"

const MAX_BYTES = 1 << 20

/**
 * The lines of the Dockerfile that made an image here, by the layers that have them: from the last one down, as long as the file says what the
 * history does. A file that has been changed since gives what has stayed.
 */
export function dockerfileLines(
  id: Digest,
  history: readonly HistoryEntry[],
  builds: readonly PastBuild[],
): (DockerfileLine | undefined)[] {
  const made = history.filter(({ empty_layer }) => empty_layer !== true)
  const lines: (DockerfileLine | undefined)[] = made.map(() => undefined)
  const build = builds.find(({ images }) => images.includes(id))
  const file = build === undefined ? undefined : readDockerfile(build)
  if (file === undefined) return lines
  const written = file.instructions.map((one) => ({ ...one, words: plain(one.code) }))
  let end = written.length
  for (let layer = made.length - 1; layer >= 0; layer--) {
    const words = plain(made[layer]?.created_by ?? "")
    const at = written.findLastIndex((one, index) => index < end && one.words === words)
    const found = written[at]
    if (found === undefined) continue
    lines[layer] = { file: file.name, line: found.source.start, text: found.code }
    end = at
  }
  return lines
}

function readDockerfile({ context, dockerfile = "Dockerfile" }: PastBuild) {
  const path = resolve(context, dockerfile)
  try {
    // what was built from elsewhere may have left a path that is another's now: a pipe is not waited for
    const stat = statSync(path)
    if (!stat.isFile() || stat.size > MAX_BYTES) return undefined
    const { stages } = parseDockerfile(readFileSync(path, "utf8"), dockerfile)
    return { name: dockerfile, instructions: stages.flatMap(({ instructions }) => instructions) }
  } catch {
    return undefined // it is gone, or is no Dockerfile any more
  }
}

/** An instruction as both sides write it. */
function plain(text: string): string {
  return text
    .replace(/ # buildkit$/, "")
    .replace(/^(RUN) (?:\|\d+ .*? )?\/bin\/sh -c /i, "$1 ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .toLowerCase()
}
