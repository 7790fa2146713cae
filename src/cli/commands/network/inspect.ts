import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { inspectEach } from "../../inspect-each.ts"
import { inspectNetwork } from "../../network/inspect-network.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Display detailed information on one or more networks",
  args: [arg.some("NETWORK", "networks")],
  flags: {
    ...DOCUMENT_FORMAT_FLAGS,
    verbose: flag.bool("Verbose output for diagnostics: here all is shown anyway", { short: "v" }),
  },
  async run({ args: [names], flags, ...context }) {
    return inspectEach(names, flags, context, (name) => inspectNetwork(context.engine, context.dialect, name))
  },
})
