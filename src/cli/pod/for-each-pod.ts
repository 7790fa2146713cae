import { isSkiffError } from "../../base/errors.ts"
import type { Context } from "../command.ts"
import { forEachName } from "../each.ts"

/** As `forEachName`, with podman's exit code of pods: 125 for failures, or `missing` where all of them were pods that are not there. */
export async function forEachPod(
  names: readonly string[],
  context: Pick<Context<[], Record<never, never>>, "out" | "report">,
  act: (name: string) => Promise<string | null | void>,
  { missing = 125 }: { missing?: number } = {},
): Promise<number> {
  let isMissingOnly = true
  const report = (error: unknown): Promise<number> => {
    isMissingOnly &&= isSkiffError(error, "NotFound")
    return context.report(error)
  }
  const code = await forEachName(names, { out: context.out, report }, act)
  return code === 0 ? 0 : isMissingOnly ? missing : 125
}
