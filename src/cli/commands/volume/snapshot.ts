import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Keep the files of a volume as they are now",
  args: [arg.one("VOLUME", "volumes"), arg.optional("SNAPSHOT")],
  flags: { pause: flag.bool("Pause the containers that use the volume meanwhile") },
  async run({ args: [volume, snapshot], flags, engine, out }) {
    const { snapshots } = await engine.volumes()
    using interrupt = new AbortOnInterrupt()
    const { name } = await snapshots.create(volume, {
      freeze: flags.pause,
      signal: interrupt.signal,
      ...(snapshot === undefined ? {} : { snapshot }),
    })
    out.line(name)
  },
})
