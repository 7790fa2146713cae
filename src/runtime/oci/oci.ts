import { FailedPrecondition, NotFound, Unsupported } from "../../base/errors.ts"
import { setTimeout as sleep } from "node:timers/promises"
import { isInOwnCgroup, removeCgroup, type Cgroups } from "../../sys/process/cgroup.ts"
import { run, type Pid } from "../../sys/process/process.ts"
import type { CrunState } from "./crun-state.ts"
import { plainWords, runtimeFailure } from "./failure.ts"
import type { Runtime, RuntimeState } from "../runtime.ts"

const STATES: ReadonlySet<string> = new Set(["creating", "created", "running", "paused", "stopped"])

/** What is left of a container that could not be created ends within milliseconds, on a busy machine within a second. */
const LAST_PROCESS_MS = 2_000
const LOOK_MS = 20

/**
 * An OCI runtime by its command line: crun, runc, or any other with the same verbs. `crun`: the state of that one. `cgroups`: where
 * it puts containers.
 */
export function openRuntime(
  name: string,
  path: string,
  globalArgs: readonly string[],
  crun?: CrunState,
  cgroups?: Cgroups,
): Runtime {
  const call = async (verb: string, args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await run([path, ...globalArgs, verb, ...args], { input })
    if (code === 0) return stdout
    if (isUnknown(stderr)) throw new NotFound(`${name}: no such container`, { cause: plainWords(stderr) })
    if (/not running|process already finished|not in state/i.test(stderr))
      throw new FailedPrecondition(`container is not running`, { cause: plainWords(stderr) })
    throw runtimeFailure(`${name} ${verb}`, stderr)
  }
  return {
    name,
    path,
    globalArgs,
    async start(id) {
      if (!crun?.start(id)) await call("start", [id])
    },
    async state(id): Promise<RuntimeState> {
      const { status, pid } = JSON.parse(await call("state", [id])) as { status: string; pid: number }
      if (!STATES.has(status)) throw new Unsupported(`${name} reports an unknown state "${status}"`)
      return { status: status as RuntimeState["status"], pid: pid as Pid }
    },
    async kill(id, signal, options) {
      if (options?.all) {
        const { pid } = JSON.parse(await call("state", [id])) as { pid: number }
        if (!isInOwnCgroup(pid, id))
          throw new FailedPrecondition(`"${id}" is not in a cgroup of its own: its processes are not killed together`)
      } else if (crun?.signal(id, signal)) return
      await call("kill", [...(options?.all ? ["--all"] : []), id, String(signal)])
    },
    pause: async (id) => void (await call("pause", [id])),
    resume: async (id) => void (await call("resume", [id])),
    update: async (id, resources) => void (await call("update", ["--resources", "-", id], JSON.stringify(resources))),
    async delete(id, options) {
      if (crun?.deleteEnded(id)) return
      try {
        await call("delete", [...(options?.force ? ["--force"] : []), id])
      } catch (error) {
        if ((error as { code?: string }).code !== "NotFound") throw error
      }
      // of one whose create failed, as its last process was still in it, and which the runtime does not know any more
      if (cgroups !== undefined) await removeLeftCgroup(id, cgroups)
    },
  }
}

async function removeLeftCgroup(id: string, cgroups: Cgroups): Promise<void> {
  for (let waitedMs = 0; !removeCgroup(id, cgroups) && waitedMs < LAST_PROCESS_MS; waitedMs += LOOK_MS)
    await sleep(LOOK_MS)
}

function isUnknown(stderr: string): boolean {
  return /does not exist|container not found|(error opening file|cannot open directory) .*No such file/is.test(stderr)
}
