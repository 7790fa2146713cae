import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { volumeFilter } from "../../volume-filter.ts"

export default command({
  summary: "List volumes",
  args: [],
  flags: {
    cluster: flag.bool("Display only cluster volumes: of which there are none"),
    filter: flag.strings('Provide filter values (e.g. "name=data")', "filter", { short: "f" }),
    ...LIST_FORMAT_FLAGS,
    noheading: flag.bool("Do not print column headings", { short: "n" }),
    quiet: flag.bool("Only display volume names", { short: "q" }),
  },
  async run({ flags, engine, out, dialect }) {
    const volumes = await engine.volumes()
    const containers = flags.filter.some((one) => one.startsWith("dangling")) ? await engine.containers() : undefined
    const isUsed = (volume: string) => (containers?.list({ all: true, volume: [volume] }).length ?? 0) > 0
    const list = flags.cluster ? [] : volumes.list()
    const found = list.filter(volumeFilter(flags.filter, { get: volumes.get, isUsed }))
    const { volumes: layout } = await dialect.lists()
    const noheading = flags.noheading || (found.length === 0 && !dialect.volumes.emptyHeading)
    printList(
      out,
      found.flatMap((volume) => layout.rows(volume, {})),
      { ...flags, noheading },
      layout,
    )
  },
})
