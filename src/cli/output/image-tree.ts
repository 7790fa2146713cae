import { formatSize } from "../../base/sizes.ts"
import { familiarReference, parseReference, type Image, type Images } from "../../image/image.ts"
import { shortDigest } from "../../spec/digest.ts"
import { formatPlatform } from "../../spec/platform.ts"
import type { Out } from "../out.ts"
import { alignColumns } from "./columns.ts"

/** `images --tree`: each name, and below it what it leads to for each platform. */
export async function printImageTree(
  out: Out,
  images: Images,
  shown: readonly Image[],
  noTrunc: boolean,
): Promise<void> {
  const idOf = ({ id }: Image) => (noTrunc ? id : shortDigest(id))
  const lines = ["IMAGE\tID\tDISK USAGE"]
  for (const image of shown)
    for (const name of image.tags.length > 0 ? image.tags : ["<untagged>"]) {
      const members = (await images.findSet(image.tags.length > 0 ? name : image.id))?.members ?? []
      const title = image.tags.length > 0 ? familiarReference(parseReference(name)) : name
      lines.push(`${title}\t${idOf(image)}\t${formatSize(members.reduce((sum, one) => sum + one.image.sizeBytes, 0))}`)
      for (const [index, { image: member }] of members.entries()) {
        const branch = index === members.length - 1 ? "└─" : "├─"
        lines.push(`${branch} ${formatPlatform(member.platform)}\t${idOf(member)}\t${formatSize(member.sizeBytes)}`)
      }
    }
  for (const line of alignColumns(lines)) out.line(line.trimEnd())
}
