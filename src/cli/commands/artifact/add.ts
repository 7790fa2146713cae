import { parseKeyValue } from "../../../spec/docker/environment.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Add an OCI artifact to the local store",
  args: [arg.one("NAME"), arg.some("PATH")],
  flags: {
    annotation: flag.list(parseKeyValue, "Set an annotation of the files", "KEY=VALUE"),
    append: flag.bool("Append files to an artifact that is there", { short: "a" }),
    fileType: flag.string("Media type of the files (default: what they look like)", "string"),
    replace: flag.bool("Replace an artifact that is there"),
    type: flag.string("Media type of the artifact", "string"),
  },
  failureCode: 125,
  async run({ args: [name, files], flags, engine, out }) {
    const artifacts = await engine.artifacts()
    using interrupt = new AbortOnInterrupt()
    const { annotation, append, fileType, replace, type } = flags
    const annotations = Object.fromEntries(annotation)
    const { digest } = await artifacts.add(name, {
      files,
      annotations,
      append,
      fileType,
      replace,
      type,
      signal: interrupt.signal,
    })
    out.line(digest.replace("sha256:", ""))
  },
})
