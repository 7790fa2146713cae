import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Check whether the store holds what its records say",
  args: [],
  flags: {
    force: flag.bool("Remove damaged images with their containers, and damaged containers", { short: "f" }),
    max: flag.duration("Age of unreferenced layers: refused here, they go at any age", { short: "m" }),
    quick: flag.bool("Look whether all is there, and read no contents", { short: "q" }),
    repair: flag.bool("Remove damaged images that no container uses", { short: "r" }),
  },
  async run({ flags, engine, out }) {
    if (flags.max !== undefined)
      throw new UsageError("--max is of no use: what nobody refers to is removed by every pull, removal and prune", {
        hint: "leave it away",
      })
    using interrupt = new AbortOnInterrupt()
    const { quick, repair, force } = flags
    const { faults, checked } = await engine.check({ quick, repair, force, signal: interrupt.signal })
    for (const { kind, name, problem, repaired } of faults)
      out.line(`${kind} ${name}: ${problem}${repaired === undefined ? "" : ` (${repaired})`}`)
    const left = faults.filter(({ repaired }) => repaired === undefined)
    const { images, layers, blobs, containers, volumes } = checked
    out.note(
      `checked ${images} images (${layers} layers, ${blobs} blobs), ${containers} containers, ${volumes} volumes: ${left.length} faults`,
    )
    return left.length > 0 ? 1 : 0
  },
})
