import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { writeResult } from "../../output/write-result.ts"

export default command({
  summary: "Export a container's filesystem as a tar archive",
  args: [arg.one("CONTAINER", "containers")],
  flags: {
    output: flag.string("Write to a file, instead of STDOUT", "string", { short: "o" }),
  },
  examples: ["skiff export -o rootfs.tar web", "skiff export web | tar -t"],
  async run({ args: [name], flags, engine, out }) {
    const containers = await engine.containers()
    const { id } = containers.get(name)
    await writeResult("export", flags.output, containers.export(id), out)
  },
})
