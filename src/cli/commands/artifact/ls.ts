import { shortId } from "../../../base/short-id.ts"
import { parseReference } from "../../../image/image.ts"
import { command } from "../../command.ts"
import { formatAgo } from "../../../docker/ages.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { formatSize } from "../../../base/sizes.ts"

const TITLES = { Repository: "REPOSITORY", Tag: "TAG", Digest: "DIGEST", Created: "CREATED", Size: "SIZE" }
const TABLE = "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.Created}}\t{{.Size}}"

export default command({
  summary: "List artifacts of the local store",
  args: [],
  flags: {
    ...LIST_FORMAT_FLAGS,
    noTrunc: flag.bool("Do not truncate the digests"),
    noheading: flag.bool("Do not print column headings", { short: "n" }),
    quiet: flag.bool("Print the names alone", { short: "q" }),
  },
  async run({ flags, engine, out }) {
    const artifacts = (await engine.artifacts()).list()
    const now = new Date()
    const rows = artifacts.map(({ name, digest, sizeBytes, createdAt }) => {
      const { registry, repository, tag = "" } = parseReference(name)
      const hex = digest.replace("sha256:", "")
      return {
        Repository: `${registry}/${repository}`,
        Tag: tag,
        Digest: flags.noTrunc ? hex : shortId(hex),
        Created: formatAgo(createdAt, now),
        Size: formatSize(sizeBytes),
        VirtualSize: sizeBytes,
        Name: name,
      }
    })
    printList(out, rows, flags, { titles: TITLES, table: TABLE, quiet: "{{.Repository}}:{{.Tag}}" })
  },
})
