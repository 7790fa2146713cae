import { attachedServices } from "./attach/attach-flags.ts"
import type { AttachRequest, UpHearing } from "./attach/attach-request.ts"
import { AttachedRun } from "./attach/attached-run.ts"

/**
 * Does `up`, and shows what its containers write from the moment that they are there until all of them have ended, an interrupt stops them,
 * or the user detaches. Gives the exit code. Throws what `up` throws, when all that was written by then is shown.
 */
export async function attachUp(request: AttachRequest, up: (hearing: UpHearing) => Promise<unknown>): Promise<number> {
  const shown = attachedServices(request.project, request.services, request.flags)
  const { engine } = request
  const [containers, events, domain] = await Promise.all([
    engine.containers(),
    engine.events(),
    request.compose.compose(),
  ])
  await using run = new AttachedRun({ ...request, containers, events, domain, shown })
  // awaited here: it is disposed of after that
  return await run.during(up)
}
