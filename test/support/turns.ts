import { setImmediate } from "node:timers/promises"

const SHORT_MS = 40

const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * The longest that others waited for their turn of the event loop while `work` went on, as a share of all its time. It is
 * processor time, which no other process takes. 0 for work that is too short to tell.
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
  const all = before - started
  // a few slices' worth tells nothing
  return all < SHORT_MS ? 0 : longest / all
}
