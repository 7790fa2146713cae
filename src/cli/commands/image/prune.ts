import { formatSize } from "../../../base/sizes.ts"
import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove unused images",
  args: [],
  flags: {
    all: flag.bool("Remove all unused images, not just dangling ones", { short: "a" }),
    force: flag.bool("Do not prompt for confirmation", { short: "f" }),
  },
  async run({ flags, engine, out }) {
    const what = flags.all ? "all images without at least one container associated to them" : "all dangling images"
    if (!flags.force && !(await confirm(`This will remove ${what}.`, out))) return 1
    const { untagged, deleted, reclaimedBytes } = await (await engine.images()).prune({ all: flags.all })
    if (untagged.length + deleted.length > 0) out.line("Deleted Images:")
    for (const one of untagged) out.line(`untagged: ${one}`)
    for (const one of deleted) out.line(`deleted: ${one}`)
    out.line(`${untagged.length + deleted.length > 0 ? "\n" : ""}Total reclaimed space: ${formatSize(reclaimedBytes)}`)
    return 0
  },
})
