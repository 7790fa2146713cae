import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { bootPlace } from "../../units/boot-place.ts"

export default command({
  summary: "Take back what enable-boot has installed",
  args: [],
  flags: { prefix: flag.string("Change the file system below this directory instead of the host's", "directory") },
  async run({ flags, globals, out }) {
    const { disableBoot } = await import("../../units/install-boot.ts")
    for (const line of await disableBoot(bootPlace(globals, flags.prefix))) out.line(line)
  },
})
