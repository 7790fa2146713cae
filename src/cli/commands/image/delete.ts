import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Delete an image at a registry, with all its tags there",
  args: [arg.one("docker://NAME[:TAG|@DIGEST]")],
  flags: REGISTRY_FLAGS,
  examples: ["skiff image delete docker://registry.example/team/app:old"],
  async run({ args: [name], flags, engine }) {
    using interrupt = new AbortOnInterrupt()
    await (await engine.images()).deleteAt(name, { ...registryAccess(flags), signal: interrupt.signal })
  },
})
