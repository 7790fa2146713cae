import { InvalidArgument, isSkiffError } from "../../../base/errors.ts"
import type { Containers, WaitState } from "../../../container/container.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"

/** podman's words for states that are one of ours. */
const STATES: Readonly<Record<string, WaitState>> = {
  configured: "created",
  created: "created",
  initialized: "created",
  exited: "exited",
  stopped: "exited",
  stopping: "exited",
  healthy: "healthy",
  unhealthy: "unhealthy",
  paused: "paused",
  running: "running",
  restarting: "restarting",
  removing: "removing",
  removed: "removed",
}

export default command({
  summary: "Block until one or more containers stop, then print their exit codes",
  args: [arg.some("CONTAINER", "containers", { unless: CHOOSING })],
  flags: {
    condition: flag.list(readStates, "Wait for a state: created, running, paused, exited, healthy, unhealthy, removed"),
    exitFirstMatch: flag.bool("Wait for the first of the containers alone"),
    ignore: flag.bool("Print -1 for containers that do not exist"),
    interval: flag.of(readInterval, "Longest time between two looks; ends are told at once, whatever it is", "string", {
      short: "i",
    }),
    latest: CHOICE_FLAGS.latest,
  },
  async run({ args: [given], flags, engine, ...context }) {
    const containers = await engine.containers()
    const names = chooseContainers(containers, given, { latest: flags.latest })
    const cancel = new AbortController()
    const waitFor = (name: string) => waitOne(containers, name, { ...flags, signal: cancel.signal })
    if (!flags.exitFirstMatch) return forEachName(names, context, waitFor)
    const waits = names.map(waitFor)
    for (const one of waits) one.catch(() => {}) // those that are cancelled
    context.out.line(await Promise.race(waits))
    cancel.abort()
    return 0
  },
})

/** The exit code as text; -1 for a state that is no end. */
async function waitOne(
  containers: Containers,
  name: string,
  { condition, ignore, signal }: { condition: readonly WaitState[][]; ignore: boolean; signal: AbortSignal },
): Promise<string> {
  try {
    if (condition.length === 0) return String(await containers.wait(name, { signal }))
    const { exitCode = -1 } = await containers.waitForState(name, condition.flat(), { signal })
    return String(exitCode)
  } catch (error) {
    if (ignore && isSkiffError(error, "NotFound")) return "-1"
    throw error
  }
}

function readStates(text: string): WaitState[] {
  return text.split(",").map((word) => {
    const state = STATES[word.trim().toLowerCase()]
    if (state === undefined)
      throw new InvalidArgument(`unknown state "${word}"`, { hint: `valid: ${Object.keys(STATES).join(", ")}` })
    return state
  })
}

/** `250ms`, `1s`, or milliseconds. */
function readInterval(text: string): string {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h)?)+$/.test(text)) throw new InvalidArgument("expected a time, such as 250ms")
  return text
}
