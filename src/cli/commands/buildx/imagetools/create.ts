import { readFileSync } from "node:fs"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { fileFailure } from "../../../file-failure.ts"
import { flag } from "../../../flag.ts"
import { parseKeyValue } from "../../../../spec/docker/environment.ts"
import { formatPlatform, parsePlatform } from "../../../../spec/platform.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../../registry-flags.ts"

export default command({
  summary: "Create an index of images at a registry, without fetching them",
  args: [arg.rest("[SOURCE...]")],
  flags: {
    ...REGISTRY_FLAGS,
    annotation: flag.list(parseKeyValue, "Add an annotation to the index", "KEY=VALUE"),
    append: flag.bool("Append to what the tag leads to already"),
    builder: flag.string("The one builder is used whatever is named", "string"),
    debug: flag.bool("Log more (the global --debug)", { short: "D" }),
    dryRun: flag.bool("Show the index instead of pushing it"),
    file: flag.strings("Read sources from this file, one a line", "file", { short: "f" }),
    platform: flag.strings("Keep these platforms of the sources alone", "list", { short: "p" }),
    preferIndex: flag.bool("Make an index also of one source, which is done anyhow"),
    progress: flag.string("Set the type of progress output, of which there is none", "string"),
    tag: flag.strings("Name of the new index", "string", { short: "t" }),
  },
  async run({ args: [words], flags, engine, out }) {
    const sources = [...words, ...flags.file.flatMap(linesOf)]
    const [first] = flags.tag
    if (first === undefined && !flags.dryRun) throw new UsageError("name the new index by --tag")
    const all = flags.append && first !== undefined ? [first, ...sources] : sources
    if (all.length === 0) throw new UsageError("name at least one source")
    const lists = await engine.manifestLists()
    const access = registryAccess(flags)
    const wanted = new Set(
      flags.platform.flatMap((text) => text.split(",")).map((text) => formatPlatform(parsePlatform(text))),
    )
    const list = lists.unrecorded({ annotations: Object.fromEntries(flags.annotation) })
    for (const source of all) await list.add(`docker://${source.replace(/^docker:\/\//, "")}`, { ...access, all: true })
    if (wanted.size > 0) list.keep(({ platform }) => platform === undefined || wanted.has(formatPlatform(platform)))
    if (flags.dryRun) return out.line(JSON.stringify(list.index(), null, 2))
    for (const tag of flags.tag) out.line(`${tag}: ${await list.push(tag, access)}`)
  },
})

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
  } catch (cause) {
    throw new UsageError(`cannot read "${file}": ${fileFailure(cause)}`, { cause })
  }
}
