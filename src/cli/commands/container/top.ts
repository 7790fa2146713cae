import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { alignColumns } from "../../output/columns.ts"

export default command({
  summary: "Display the running processes of a container",
  args: [arg.one("CONTAINER", "running"), arg.rest("[ps OPTIONS]")],
  flags: {},
  flagsBeforeWords: true,
  async run({ args: [name, psOptions], engine, out }) {
    const { titles, processes } = await (await engine.containers()).top(name, psOptions)
    for (const line of alignColumns([titles, ...processes].map((cells) => cells.join("\t")))) out.line(line)
  },
})
