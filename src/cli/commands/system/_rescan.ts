import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

/** The supervisor has it look at running containers again, when there are other data (src/scan/watch/). */
export default command({
  summary: "Scan running containers again where the data have changed",
  args: [],
  flags: { handed: flag.bool("The lock is on descriptor 3") },
  async run({ flags, engine }) {
    using lock = await engine.takeRescan(flags.handed)
    if (lock === undefined) return
    await (await engine.scans()).rescan()
  },
})
