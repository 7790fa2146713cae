import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Make the files of a volume those of a snapshot again",
  args: [arg.one("VOLUME", "volumes"), arg.one("SNAPSHOT")],
  flags: { force: flag.bool("Also while a container runs with the volume", { short: "f" }) },
  async run({ args: [volume, snapshot], flags, engine, out }) {
    const { snapshots } = await engine.volumes()
    using interrupt = new AbortOnInterrupt()
    await snapshots.restore(volume, snapshot, { force: flags.force, signal: interrupt.signal })
    out.line(volume)
  },
})
