import { COMPOSE_VERSION } from "../../../compose/compose.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Show the Docker Compose version information",
  args: [],
  flags: {
    format: flag.choice(["pretty", "json"], "Format the output", { short: "f", initial: "pretty" }),
    short: flag.bool("Show only the version number"),
  },
  async run({ flags, out }) {
    if (flags.short) out.line(COMPOSE_VERSION)
    else if (flags.format === "json") out.line(JSON.stringify({ version: `v${COMPOSE_VERSION}` }))
    else out.line(`Docker Compose version v${COMPOSE_VERSION}`)
  },
})
