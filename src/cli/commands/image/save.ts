import { InvalidArgument } from "../../../base/errors.ts"
import { SAVE_FORMATS } from "../../../image/image.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { writeResult } from "../../output/write-result.ts"

export default command({
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  args: [arg.some("IMAGE", "images")],
  flags: {
    format: flag.choice(
      SAVE_FORMATS,
      'Format of the archive ("docker-archive"|"oci-archive"|"oci-dir"|"docker-dir"; default docker-archive)',
    ),
    output: flag.string("Write to a file, or to a directory for oci-dir and docker-dir, instead of STDOUT", "string", {
      short: "o",
    }),
  },
  examples: ["skiff save -o app.tar app:1.2 postgres:16", "skiff save --format oci-archive app | zstd > app.tar.zst"],
  async run({ args: [names], flags, engine, out }) {
    const { format = "docker-archive", output } = flags
    const images = await engine.images()
    using interrupt = new AbortOnInterrupt()
    const { signal } = interrupt
    if (format === "docker-archive" || format === "oci-archive")
      return await writeResult("save", output, images.save(names, format, { signal }), out)
    if (output === undefined || output === "-")
      throw new InvalidArgument(`--format ${format} makes a directory`, { hint: "name it: -o DIRECTORY" })
    await images.saveDirectory(names, format, output, { signal })
  },
})
