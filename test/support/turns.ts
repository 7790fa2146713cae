import { setImmediate } from "node:timers/promises"

const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * The longest that others waited for their turn of the event loop while `work` went on, as a share of all its time. It is
 * processor time, which no other process takes.
 */
export async function longestShare(work: Promise<unknown>): Promise<number> {
  const started = cpuMs()
  let [before, longest] = [started, 0]
  const end = work.then(() => "over")
  while ((await Promise.race([end, setImmediate()])) !== "over") {
    const now = cpuMs()
    longest = Math.max(longest, now - before)
    before = now
  }
  return longest / (before - started)
}
