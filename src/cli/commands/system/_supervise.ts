import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

/** The supervisor (src/supervisor/): commands start it where a container needs somebody who stays. */
export default command({
  summary: "Check the health of containers, and restart them, as long as there are any to see to",
  args: [],
  flags: { handed: flag.bool("The lock is on descriptor 3") },
  async run({ flags, engine }) {
    const { supervise } = await import("../../../supervisor/supervisor.ts")
    await supervise(engine, { wasHanded: flags.handed })
  },
})
