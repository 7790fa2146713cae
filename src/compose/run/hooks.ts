import { StringDecoder } from "node:string_decoder"
import { FailedPrecondition, isSkiffError } from "../../base/errors.ts"
import type { Containers, ExecSession } from "../../container/container.ts"
import { nameInProject, type ProjectContainer } from "../project-containers.ts"
import type { Hook, Mapping } from "../project.ts"
import type { OnHookLine, VerbOptions } from "../verbs.ts"

/** Where hooks run, and who hears of them. */
export interface HookRun extends Pick<VerbOptions, "onHookLine" | "signal" | "dryRun"> {
  containers: Containers
  target: ProjectContainer
}

/**
 * Runs programs in a running container, one after the other: `post_start` after its start, `pre_stop` before its stop. Throws
 * FailedPrecondition, in docker's words, for the first that ends with another code than 0; the others are not run then.
 */
export async function runHooks(hooks: readonly Hook[], run: HookRun): Promise<void> {
  if (run.dryRun === true) return
  for (const hook of hooks) {
    const status = await runHook(hook, run)
    if (status !== 0)
      throw new FailedPrecondition(`${run.target.service} hook exited with status ${status}`, {
        hint: `its words: ${hook.command.join(" ")}`,
        data: { service: run.target.service, status },
      })
  }
}

/** As `runHooks`, before a stop and in one-offs; of a container that has ended, or is gone, by then there is nothing to run it in. */
export async function runHooksWhileRunning(hooks: readonly Hook[], run: HookRun): Promise<void> {
  const { containers, target } = run
  if (hooks.length === 0 || !isRunning(containers, target)) return
  try {
    await runHooks(hooks, run)
  } catch (error) {
    if (isSkiffError(error) && error.data.status !== undefined) throw error
    if (isRunning(containers, target)) throw error
  }
}

async function runHook(hook: Hook, { containers, target, onHookLine, signal }: HookRun): Promise<number> {
  const { id } = target.container
  const request = {
    command: hook.command,
    user: hook.user,
    workdir: hook.working_dir,
    privileged: hook.privileged ?? false,
    env: envOf(hook.environment),
  }
  let session: ExecSession
  try {
    session = await containers.execs.run(id, request, { abort: signal })
  } catch (error) {
    if (isSkiffError(error) && error.data.programExit !== undefined) {
      onHookLine?.({ source: nameInProject(target), service: target.service, text: error.message })
      return error.data.programExit
    }
    throw error
  }
  const closed = session.attachment && tellLines(session.attachment, target, onHookLine)
  const status = await session.exited
  await closed
  return status
}

/** Resolves when all of the output has been told. */
async function tellLines(
  attachment: NonNullable<ExecSession["attachment"]>,
  target: ProjectContainer,
  onHookLine: OnHookLine | undefined,
): Promise<void> {
  const streams = { stdout: new StringDecoder(), stderr: new StringDecoder() }
  const parts = { stdout: "", stderr: "" }
  const tell = (text: string) => onHookLine?.({ source: nameInProject(target), service: target.service, text })
  attachment.onOutput((stream, chunk) => {
    const lines = (parts[stream] + streams[stream].write(Buffer.from(chunk))).split("\n")
    parts[stream] = lines.pop() ?? ""
    for (const line of lines) tell(line)
  })
  await attachment.closed
  for (const rest of Object.values(parts)) if (rest !== "") tell(rest)
}

/** Without those that nothing gave a value. */
function envOf(environment: Mapping = {}): string[] {
  return Object.entries(environment).flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`]))
}

function isRunning(containers: Containers, { container }: ProjectContainer): boolean {
  try {
    return containers.get(container.id).state.status === "running"
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return false
    throw error
  }
}
