import { createReadStream } from "node:fs"
import type { Bytes } from "../../../base/bytes.ts"
import { InvalidArgument } from "../../../base/errors.ts"
import { isTerminal } from "../../../sys/terminal/terminal.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { standardInput } from "../../../sys/terminal/standard-input.ts"

export default command({
  summary: "Import the files of a tar archive into a volume",
  args: [arg.one("VOLUME", "volumes"), arg.optional("FILE|-")],
  flags: {},
  examples: ["skiff volume import data data.tar", "skiff volume export a | skiff volume import b -"],
  async run({ args: [name, file = "-"], engine }) {
    const volumes = await engine.volumes()
    volumes.get(name)
    using interrupt = new AbortOnInterrupt()
    await volumes.import(name, archiveAt(file), { signal: interrupt.signal })
  },
})

function archiveAt(file: string): Bytes {
  if (file !== "-") return createReadStream(file) as Bytes
  if (isTerminal(0))
    throw new InvalidArgument("standard input is a terminal, not an archive", { hint: "redirect one, or name a file" })
  return standardInput()
}
