import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Force stop service containers",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    removeOrphans: flag.bool("Remove containers for services not defined in the Compose file"),
    signal: flag.string("SIGNAL to send to the container", "string", { short: "s" }),
  },
  async run({ args: [services], flags, compose, out }) {
    const target = { ...(await compose.projectOrName(services)), services }
    const killed = await compose.showing("Killing", (verbs, options) =>
      verbs.kill(target, { ...options, killSignal: flags.signal, orphans: flags.removeOrphans }),
    )
    if (!killed) out.note("no container to kill")
  },
})
