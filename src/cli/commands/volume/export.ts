import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { writeResult } from "../../output/write-result.ts"

export default command({
  summary: "Export the files of a volume as a tar archive",
  args: [arg.one("VOLUME", "volumes")],
  flags: { output: flag.string("Write to a file, instead of STDOUT", "string", { short: "o" }) },
  examples: ["skiff volume export -o data.tar data", "skiff volume export data | tar -t"],
  async run({ args: [name], flags, engine, out }) {
    const volumes = await engine.volumes()
    using interrupt = new AbortOnInterrupt()
    await writeResult("export", flags.output, volumes.export(name, { signal: interrupt.signal }), out)
  },
})
