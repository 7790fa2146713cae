import { InvalidArgument } from "../../../base/errors.ts"
import type { SyncSide } from "../../../image/image.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { signingOf } from "../../push-flags.ts"
import { COPY_FLAGS, copyOptions, TWO_SIDES_FLAGS } from "../../image-copy-flags.ts"
import { withoutTransport } from "../../registry/without-transport.ts"

const KINDS = ["docker", "dir"] as const

export default command({
  summary: "Copy all tags of a repository, or all images of a directory",
  args: [arg.one("SOURCE"), arg.one("DESTINATION")],
  flags: {
    ...TWO_SIDES_FLAGS,
    ...COPY_FLAGS,
    appendSuffix: flag.string("Put this behind the tags of the copies", "string"),
    dest: flag.of(readKind, "What DESTINATION is: docker (a registry) or dir", "string", {
      short: "d",
      completes: KINDS,
    }),
    dryRun: flag.bool("Print what would be copied"),
    keepGoing: flag.bool("Tell of a failure, and go on with the other images"),
    scoped: flag.bool("Keep registry and path in the names of the copies"),
    src: flag.of(readKind, "What SOURCE is: docker (a registry) or dir", "string", { short: "s", completes: KINDS }),
  },
  examples: ["skiff image sync --all --src docker --dest dir registry.example/team/app /media/usb"],
  async run({ args: [source, destination], flags, engine, out, report }) {
    if (flags.src === undefined || flags.dest === undefined)
      throw new UsageError("--src and --dest are needed: each docker or dir")
    const images = await engine.images()
    const signing = await signingOf(flags)
    using interrupt = new AbortOnInterrupt()
    const { appendSuffix, scoped } = flags
    const options = {
      ...copyOptions(flags),
      ...(signing && { signing }),
      scoped,
      signal: interrupt.signal,
      ...(appendSuffix && { appendSuffix }),
    }
    const sides = { from: sideOf(flags.src, source), to: sideOf(flags.dest, destination) }
    let code = 0
    for (const { from, to } of await images.syncPairs(sides, options)) {
      if (!flags.dryRun) {
        try {
          await images.copy(from, to, options)
        } catch (error) {
          if (!flags.keepGoing) throw error
          code = await report(error)
          continue
        }
      }
      out.line(`${from} ${to}`)
    }
    return code
  },
})

function sideOf(kind: "docker" | "dir", word: string): SyncSide {
  return kind === "docker" ? { kind, name: withoutTransport(word) } : { kind, path: word.replace(/^dir:/, "") }
}

function readKind(text: string): "docker" | "dir" {
  const found = KINDS.find((kind) => kind === text)
  if (found !== undefined) return found
  if (text === "yaml") throw new InvalidArgument("lists in YAML are not read: name one repository, or a directory")
  throw new InvalidArgument("must be one of docker, dir")
}
