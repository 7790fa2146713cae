import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { bootPlace } from "../../units/boot-place.ts"

export default command({
  summary: "Make services of all Quadlet files, as a generator of systemd",
  args: [arg.rest("[NORMAL-DIR [EARLY-DIR LATE-DIR]]")],
  flags: {
    dryrun: flag.bool("Print the services instead of writing them"),
    noKmsgLog: flag.bool("Write what is wrong to standard error alone, which is done anyhow"),
    user: flag.bool("For the manager of a user"),
  },
  async run({ args: [[directory]], flags, globals, out, report }) {
    const [{ generateServices, writeServices }, { quadletDirectories }] = await Promise.all([
      import("../../quadlet/generator.ts"),
      import("../../quadlet/directories.ts"),
    ])
    const isUser = flags.user || process.getuid?.() !== 0
    const place = { skiff: bootPlace(globals).skiff, isUser }
    const { services, errors } = generateServices(quadletDirectories(isUser), place)
    for (const error of errors) await report(error)
    if (flags.dryrun || directory === undefined)
      for (const { name, text } of services) out.text(`---${name}---\n${text}\n`)
    else writeServices(directory, services)
    // a generator that fails is none: those that are right start all the same
    return errors.length > 0 && (flags.dryrun || directory === undefined) ? 1 : 0
  },
})
