import { command } from "../../command.ts"

/** The supervisor (src/supervisor/): commands start it where a container needs somebody who stays. */
export default command({
  summary: "Check the health of containers, and restart them, as long as there are any to see to",
  args: [],
  flags: {},
  async run({ engine }) {
    const { supervise } = await import("../../../supervisor/supervisor.ts")
    await supervise(engine)
  },
})
