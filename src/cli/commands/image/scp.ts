import { FailedPrecondition, InvalidArgument } from "../../../base/errors.ts"
import { close, pipe } from "../../../sys/libc.ts"
import { spawnProcess } from "../../../sys/process/process.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { engineWords } from "../../scp/engine-words.ts"
import { parseEndpoint } from "../../scp/endpoint.ts"
import { bootPlace } from "../../units/boot-place.ts"

const STANDARD_OUTPUT = 1
const STANDARD_ERROR = 2

export default command({
  summary: "Copy an image to or from another host, or another user of this one",
  args: [arg.one("[HOST::]IMAGE", "images"), arg.optional("HOST::")],
  flags: {
    program: flag.of(readProgram, "Engine of the other host (default: skiff, else podman, else docker)", "name"),
    quiet: flag.bool("Suppress the output", { short: "q" }),
  },
  examples: [
    "skiff image scp app:1 anna@build.example::",
    "skiff image scp build.example:2222::app:1",
    "sudo skiff image scp app:1 anna@localhost::",
  ],
  async run({ args: [source, target], flags: { program, quiet }, globals }) {
    const from = parseEndpoint(source)
    const to = target === undefined ? ({ kind: "here", image: "" } as const) : parseEndpoint(target)
    if (from.image === "") throw new UsageError("which image?", { hint: `name it: ${source}IMAGE` })
    if (to.image !== "")
      throw new UsageError(`"${to.image}" is no place: the image keeps its name there`, { hint: "end it with ::" })
    if (from.kind === "here" && to.kind === "here")
      throw new UsageError("both ends are this store", { hint: "name another: HOST::, or USER@localhost::" })
    const choice = { own: bootPlace(globals).skiff, program }
    const save = engineWords(from, ["save", from.image], choice)
    await connect(save, engineWords(to, quiet ? ["load", "-q"] : ["load"], choice), quiet)
  },
})

/** One program's output is the other's input; the bytes do not come by here. Throws FailedPrecondition when either failed. */
async function connect(save: readonly string[], load: readonly string[], quiet: boolean): Promise<void> {
  const { readEnd, writeEnd } = pipe()
  const children = []
  try {
    children.push(spawnProcess(save, { stdio: ["ignore", writeEnd, STANDARD_ERROR] }))
    children.push(spawnProcess(load, { stdio: [readEnd, quiet ? "ignore" : STANDARD_OUTPUT, STANDARD_ERROR] }))
  } finally {
    // with an end of ours open, neither would hear of the other's death
    close(writeEnd)
    close(readEnd)
  }
  const [saved = 0, loaded = 0] = await Promise.all(children.map(({ exited }) => exited))
  if (loaded !== 0 || saved !== 0)
    throw new FailedPrecondition(`the image was not copied: ${loaded === 0 ? "saving" : "loading"} it failed`, {
      data: { saved, loaded },
    })
}

function readProgram(text: string): string {
  if (/^[A-Za-z0-9/][\w./-]*$/.test(text)) return text
  throw new InvalidArgument("expected the name or path of a program")
}
