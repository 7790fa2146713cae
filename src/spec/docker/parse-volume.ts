import { InvalidArgument } from "../../base/errors.ts"
import { absolutePath, checkTarget, checkVolumeName, isHostPath, type MountRequest } from "./mount-request.ts"
import { parseMountWords } from "./mount-words.ts"

/**
 * Parses docker's and podman's `-v`: `/in`, `name:/in`, `/host:/in:ro,rshared`, `./directory:/in`; `\:` is a colon of a name. A relative
 * source starts at `cwd`. Throws InvalidArgument in docker's words.
 */
export function parseVolume(text: string, cwd: string): MountRequest {
  const parts = text.split(/(?<!\\):/).map((part) => part.replaceAll("\\:", ":"))
  if (parts.some((part) => part === "")) throw invalid(`invalid spec: ${text}: empty section between colons`)
  if (parts.length > 3) throw invalid(`invalid volume specification: '${text}'`)
  const [first = "", second, mode = ""] = parts
  if (second === undefined) return { type: "volume", target: checkTarget(first), readOnly: false, copyUp: true }
  const target = checkTarget(second)
  const { copyUp, propagation, ...shown } = parseMountWords(mode)
  if (isHostPath(first)) {
    const bind = {
      type: "bind",
      source: absolutePath(first, cwd),
      target,
      createSource: shown.overlay === undefined,
    } as const
    return { ...bind, ...shown, ...(propagation === undefined ? {} : { propagation }) }
  }
  if (propagation !== undefined) throw invalid(`invalid mode: ${mode}: propagation is for bind mounts`)
  return { type: "volume", source: checkVolumeName(first), target, ...shown, copyUp }
}

function invalid(message: string): InvalidArgument {
  return new InvalidArgument(message)
}
