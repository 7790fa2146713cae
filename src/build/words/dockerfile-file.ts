import { readFileSync, realpathSync, statSync } from "node:fs"
import { basename, relative, resolve } from "node:path"
import { InvalidArgument, PermissionDenied } from "../../base/errors.ts"

/** A Dockerfile is short: more than this is something else. */
const DOCKERFILE_BYTES = 4 * 1024 * 1024

/** A text with the name that messages give it. */
interface NamedText {
  text: string
  name: string
}

/** Which Dockerfile, and the ignore file that belongs to one outside its context. */
export interface DockerfileWords {
  dockerfile?: NamedText | { pathInContext: string }
  ignoreFile?: NamedText
}

/** `-f`, as it is typed or else below the context. A name inside the context may not lead out of it by a link (CVE-2022-4122). */
export function dockerfileOfDirectory(directory: string, file: string): DockerfileWords {
  const path = [resolve(file), resolve(directory, file)].find((one) => statSync(one, { throwIfNoEntry: false }))
  if (path === undefined)
    throw wrong(
      `unable to evaluate Dockerfile: no such file: "${file}"`,
      "it is looked for in the current directory, then in the context",
    )
  const inContext = relative(directory, path)
  if (inContext.startsWith("../") || inContext === "..") {
    const ignore = `${path}.dockerignore`
    return {
      dockerfile: { text: readDockerfile(path, file), name: basename(path) },
      ...(statSync(ignore, { throwIfNoEntry: false })?.isFile()
        ? { ignoreFile: { text: readFileSync(ignore, "utf8"), name: basename(ignore) } }
        : {}),
    }
  }
  const real = relative(realpathSync(directory), realpathSync(path))
  if (real.startsWith("../") || real === "..")
    throw new PermissionDenied(`the Dockerfile "${file}" is a link that leads out of the build context`, {
      hint: "name the file that it leads to",
    })
  return { dockerfile: { pathInContext: inContext } }
}

/** Text of a Dockerfile at `path`, which messages call `shown`. Throws InvalidArgument. */
export function readDockerfile(path: string, shown: string): string {
  const stat = statSync(path)
  // a FIFO: `-f <(generate)`
  if (!stat.isFile() && !stat.isFIFO()) throw wrong(`the Dockerfile "${shown}" is no regular file`)
  if (stat.size > DOCKERFILE_BYTES)
    throw wrong(`the Dockerfile "${shown}" has ${stat.size} bytes, at most ${DOCKERFILE_BYTES} are read`)
  return readFileSync(path, "utf8")
}

function wrong(message: string, hint?: string): InvalidArgument {
  return new InvalidArgument(message, { hint })
}
