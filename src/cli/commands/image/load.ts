import { LOAD_WORDS } from "../../output/stage-words.ts"
import { fstatSync } from "node:fs"
import { InvalidArgument } from "../../../base/errors.ts"
import { familiarName, type LoadInput } from "../../../image/image.ts"
import { parsePlatform } from "../../../spec/platform.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { standardInput } from "../../../sys/terminal/standard-input.ts"
import { isTerminal } from "../../../sys/terminal/terminal.ts"

export default command({
  summary: "Load images from a tar archive or STDIN",
  description:
    "Archives of docker, podman, skopeo and buildah, in Docker's or OCI's form, compressed or not; also OCI layouts.",
  args: [],
  flags: {
    input: flag.string("Read from tar archive file, directory or URL, instead of STDIN", "string", { short: "i" }),
    platform: flag.of(parsePlatform, "Load only the given platform of a multi-platform image", "string"),
    quiet: flag.bool("Suppress the load output", { short: "q" }),
  },
  examples: ["skiff load -i app.tar", "zstd -dc app.tar.zst | skiff load"],
  async run({ flags, engine, out, dialect }) {
    const input = inputOf(flags.input)
    const images = await engine.images()
    using interrupt = new AbortOnInterrupt()
    // as docker: lines of layers are for who watches
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet || !out.stderrIsTerminal, words: LOAD_WORDS })
    const { platform } = flags
    const loaded = await images.load(input, { platform, onProgress: progress.onProgress, signal: interrupt.signal })
    progress[Symbol.dispose]()
    for (const { image, names, taken } of loaded) {
      for (const { name, from } of taken)
        out.note(`The image ${familiarName(name)} already exists, renaming the old one with ID ${from} to empty string`)
      if (names.length === 0) out.line(dialect.results.loadedNameless(image.id))
      for (const full of names)
        out.line(`Loaded image: ${dialect.results.loaded({ full, familiar: familiarName(full) })}`)
    }
  },
})

function inputOf(path: string | undefined): LoadInput {
  if (path !== undefined && /^https?:\/\//.test(path)) return { url: path }
  if (path !== undefined && path !== "-") return { path }
  if (isTerminal(0))
    throw new InvalidArgument("requested load from stdin, but stdin is empty", {
      hint: "give a file: skiff load -i FILE",
    })
  // a file that was redirected is read where it lies
  return fstatSync(0).isFile() ? { path: "/proc/self/fd/0" } : { bytes: standardInput() }
}
