import type { UpOptions } from "../../../compose/compose.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { isChange, planLines, planText } from "../../compose/plan-lines.ts"
import { CREATE_FLAGS, createOptions } from "../../compose/up-flags.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Show what `up` would do, and why",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    ...CREATE_FLAGS,
    all: flag.bool("Also what stays as it is"),
    format: flag.choice(["text", "json"], "Format the output", { initial: "text" }),
  },
  async run({ args: [services], flags, compose, out }) {
    const project = await compose.project(services)
    const options: UpOptions = { ...createOptions(flags), services, compatibility: compose.separator === "_" }
    const plan = await (await compose.compose()).plan(project, options)
    const lines = planLines(plan, project, compose.separator)
    const shown = flags.all ? lines : lines.filter(isChange)
    if (flags.format === "json") out.line(JSON.stringify(shown, null, 2))
    else for (const line of planText(shown)) out.line(line)
    return lines.some(isChange) ? 1 : 0
  },
})
