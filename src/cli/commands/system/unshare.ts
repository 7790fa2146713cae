import { runInNamespaces } from "../../../sys/rootless/unshare.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Run a program inside the namespaces of an ordinary user's containers",
  args: [arg.one("COMMAND"), arg.rest("[ARG...]")],
  flags: {},
  flagsBeforeWords: true,
  failureCode: 125,
  endsAsProgram: true,
  examples: ["skiff unshare ls -l ~/.local/share/skiff"],
  async run({ args: [program, words] }) {
    runInNamespaces([program, ...words])
  },
})
