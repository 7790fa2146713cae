import { printable } from "../../../../base/printable.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { BUILDX_FLAGS } from "../../../one-builder.ts"

export default command({
  summary: "Print what the steps of a build wrote",
  args: [arg.optional("REF")],
  flags: {
    ...BUILDX_FLAGS,
    progress: flag.choice(["plain"], "Form of the log, of which one is kept: plain", { initial: "plain" }),
  },
  async run({ args: [ref = "^0"], engine, out }) {
    const text = (await (await engine.builds()).history()).log(ref)
    // what steps wrote may hold escape sequences, and a terminal would obey them
    for (const line of text.trimEnd().split("\n")) out.line(out.stdoutIsTerminal ? printable(line) : line)
  },
})
