import { compress } from "../../../archive/archive.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainer, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { inspectContainer } from "../../output/inspect-container.ts"
import { atomicWriteStream } from "../../output/write-archive.ts"
import { writeResult } from "../../output/write-result.ts"

export default command({
  summary: "Put all that is to be known of a container into one archive",
  args: [arg.one("CONTAINER", "containers", { unless: CHOOSING })],
  flags: {
    files: flag.bool("Also the contents of the files that it changed"),
    latest: CHOICE_FLAGS.latest,
    output: flag.string("Write to a file (default NAME-TIME.forensics.tar.zst), or to STDOUT by `-`", "FILE", {
      short: "o",
    }),
  },
  examples: ["skiff forensics web", "skiff forensics -o - web | tar -x -C evidence"],
  async run({ args: [given], flags, engine, dialect, out }) {
    const containers = await engine.containers()
    const { id, name } = containers.get(chooseContainer(containers, given, flags))
    using interrupt = new AbortOnInterrupt()
    const document = await inspectContainer(await dialect.documents(), containers, id, { size: true })
    const documents = [{ name: "inspect.json", text: `${JSON.stringify([document], null, 4)}\n` }]
    const archive = containers.forensics(id, { files: flags.files, documents, abort: interrupt.signal })
    if (flags.output === "-") return await writeResult("write", "-", archive, out)
    const time = new Date().toISOString().replace(/[:.]/g, "").slice(0, 15)
    const path = flags.output ?? `${name}-${time}.forensics.tar.zst`
    const compression = /\.(?:zst|tzst)$/.test(path) ? "zstd" : /\.(?:gz|tgz)$/.test(path) ? "gzip" : undefined
    await atomicWriteStream(path, compression === undefined ? archive : compress(archive, compression))
    out.line(path)
  },
})
