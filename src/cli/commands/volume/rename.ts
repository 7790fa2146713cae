import { arg } from "../../args.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Give a volume that no container uses another name",
  args: [arg.one("VOLUME", "volumes"), arg.one("NEW_NAME")],
  flags: {},
  async run({ args: [name, to], engine }) {
    await (await engine.volumes()).rename(name, to)
  },
})
