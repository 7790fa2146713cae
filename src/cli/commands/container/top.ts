import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainer } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { alignColumns } from "../../output/columns.ts"

export default command({
  summary: "Display the running processes of a container",
  args: [arg.one("CONTAINER", "running", { unless: ["latest"] }), arg.rest("[ps OPTIONS]")],
  flags: { latest: CHOICE_FLAGS.latest },
  flagsBeforeWords: true,
  async run({ args: [given, psOptions], flags, engine, out, dialect }) {
    const containers = await engine.containers()
    const name = chooseContainer(containers, given, flags)
    const { titles, processes } = await containers.top(name, psOptions.length > 0 ? psOptions : dialect.topWords)
    const { columns } = (await dialect.lists()).volumes
    const lines = [titles, ...processes].map((cells) => cells.join("\t"))
    for (const line of alignColumns(lines, columns)) out.line(line)
  },
})
