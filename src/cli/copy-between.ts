import { InvalidArgument } from "../base/errors.ts"
import type { Containers, CopyOptions, CopyPlace } from "../container/container.ts"
import { isTerminal } from "../sys/terminal/terminal.ts"
import type { Out } from "./out.ts"
import { writeResult } from "./output/write-result.ts"
import { standardInput } from "../sys/terminal/standard-input.ts"

/** Copies; `-` is a tar archive by our own streams. Gives whether that was written to standard output. */
export async function copyBetween(
  containers: Containers,
  source: CopyPlace | "-",
  target: CopyPlace | "-",
  { out, ...options }: CopyOptions & { out: Out },
): Promise<{ toOutput: boolean }> {
  if (target === "-" && source !== "-" && "container" in source) {
    await writeResult("copy", undefined, containers.readArchive(source.container, source.path, options), out)
    return { toOutput: true }
  }
  if (source === "-" && target !== "-" && "container" in target) {
    if (isTerminal(0))
      throw new InvalidArgument("cannot copy from stdin: it is a terminal", { hint: "pipe a tar archive to it" })
    await containers.writeArchive(target.container, target.path, standardInput(), options)
  } else if (source !== "-" && target !== "-") await containers.copy(source, target, options)
  return { toOutput: false }
}
