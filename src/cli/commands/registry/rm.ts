import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"
import { withoutTransport } from "../../registry/without-transport.ts"

export default command({
  summary: "Delete images at a registry, with all their tags there",
  args: [arg.some("REFERENCE")],
  flags: { ...REGISTRY_FLAGS, tagOnly: flag.bool("Delete the tag, and leave the image to its other ones") },
  examples: ["skiff registry rm registry.example/team/app:old"],
  async run({ args: [names], flags, engine, out, report }) {
    const images = await engine.images()
    using interrupt = new AbortOnInterrupt()
    const { tagOnly } = flags
    const options = { ...registryAccess(flags), tagOnly, signal: interrupt.signal }
    return await forEachName(names, { out, report }, (name) =>
      images.deleteAt(`docker://${withoutTransport(name)}`, options),
    )
  },
})
