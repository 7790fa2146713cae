import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { bootPlace } from "../../units/boot-place.ts"

export default command({
  summary: "Have containers with a restart policy start at boot",
  args: [],
  flags: { prefix: flag.string("Change the file system below this directory instead of the host's", "directory") },
  async run({ flags, globals, out }) {
    const { enableBoot } = await import("../../units/install-boot.ts")
    for (const line of await enableBoot(bootPlace(globals, flags.prefix))) out.line(line)
  },
})
