import { formatSize } from "../../../base/sizes.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "List the snapshots of a volume",
  args: [arg.one("VOLUME", "volumes")],
  flags: { ...LIST_FORMAT_FLAGS, quiet: flag.bool("Only display snapshot names", { short: "q" }) },
  async run({ args: [volume], flags, engine, out }) {
    const { snapshots } = await engine.volumes()
    const rows = (await snapshots.list(volume)).map(({ name, createdAt, sizeBytes = 0, files = 0 }) => ({
      Name: name,
      Volume: volume,
      CreatedAt: createdAt.toISOString(),
      Size: formatSize(sizeBytes),
      Files: String(files),
    }))
    const titles = { Name: "SNAPSHOT NAME", Volume: "VOLUME", CreatedAt: "CREATED", Size: "SIZE", Files: "FILES" }
    const table = "table {{.Name}}\t{{.CreatedAt}}\t{{.Size}}\t{{.Files}}"
    printList(out, rows, flags, { titles, table, quiet: "{{.Name}}" })
  },
})
