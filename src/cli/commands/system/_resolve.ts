import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

/** The resolver of names (src/network/dns/): a container that joins a network of a user's starts it. */
export default command({
  summary: "Answer the names of containers, as long as any are on a network that has names",
  args: [],
  flags: { handed: flag.bool("The lock is on descriptor 3") },
  async run({ flags, engine }) {
    await engine.resolveNames({ wasHanded: flags.handed })
  },
})
