import { isSkiffError, NotFound } from "../../../base/errors.ts"
import type { Engine } from "../../../engine/engine.ts"
import { containerSpecgen, podSpecgen } from "../../../podman/specgen-document.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { writeNewFile } from "../../write-new-file.ts"

export default command({
  summary: "Generate Specgen JSON based on a container or pod",
  args: [arg.one("CONTAINER|POD", "objects")],
  flags: {
    compact: flag.bool("Print the JSON in a compact format for consumption", { short: "c" }),
    filename: flag.string("Write output to the specified path", "file", { short: "f" }),
    name: flag.bool("Give the generated spec a new name", { short: "n", initial: true }),
  },
  failureCode: 125,
  async run({ args: [name], flags, engine, out }) {
    const spec = await specOf(engine, name, (own) => (flags.name ? `${own}-clone` : own))
    const text = flags.compact ? JSON.stringify(spec) : JSON.stringify(spec, null, 1)
    if (flags.filename === undefined) out.line(text)
    else {
      writeNewFile(flags.filename, `${text}\n`)
      out.line(flags.filename)
    }
  },
})

/** Containers go before pods. Throws NotFound. */
async function specOf(engine: Engine, name: string, rename: (name: string) => string): Promise<object> {
  try {
    const details = await (await engine.containers()).inspect(name)
    return containerSpecgen(details, rename(details.name))
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
  try {
    const pod = await (await engine.pods()).get(name)
    return podSpecgen(pod, rename(pod.name))
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
    throw new NotFound(`could not find a pod or container with name or ID "${name}"`, { cause: error })
  }
}
