import { runInNamespaces } from "../../../sys/rootless/unshare.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Run a program inside the namespaces of an ordinary user's containers",
  args: [arg.one("COMMAND"), arg.rest("[ARG...]")],
  flags: { rootlessNetns: flag.bool("Enter the network that the user's containers are connected to, too") },
  flagsBeforeWords: true,
  failureCode: 125,
  endsAsProgram: true,
  examples: ["skiff unshare ls -l ~/.local/share/skiff"],
  async run({ args: [program, words], flags }) {
    runInNamespaces([program, ...words], flags.rootlessNetns)
  },
})
