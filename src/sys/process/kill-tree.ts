import { childrenOf } from "./store-users.ts"
import { processStartTime, signalProcess, type Pid } from "./process.ts"

const SIGKILL = 9
const SIGSTOP = 19

/**
 * Kills a process with all that it has started and that has not left it (setsid(2) is no leaving, a second fork is). Each is stopped
 * before its children are read: so none is born meanwhile.
 */
export function killTree(root: Pid): void {
  const stopped = new Map<Pid, NonNullable<ReturnType<typeof processStartTime>>>()
  const queue = [root]
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    const startTime = processStartTime(pid)
    if (startTime === undefined || stopped.has(pid) || !signalProcess(pid, startTime, SIGSTOP)) continue
    stopped.set(pid, startTime)
    queue.push(...(childrenOf(pid) as Pid[]))
  }
  for (const [pid, startTime] of stopped) signalProcess(pid, startTime, SIGKILL)
}
