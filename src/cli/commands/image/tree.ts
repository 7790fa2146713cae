import { formatSize } from "../../../base/sizes.ts"
import { familiarReference, parseReference } from "../../../image/image.ts"
import { shortDigest } from "../../../spec/digest.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Show the layers of an image as a tree, with the names of images that end in each",
  args: [arg.one("IMAGE", "images")],
  flags: { whatrequires: flag.bool("Show the images that stand on this one") },
  async run({ args: [name], flags, engine, out }) {
    const images = await engine.images()
    const image = images.get(name)
    const layers = images.layers(image)
    const all = images.list().map((one) => ({
      id: one.id,
      tags: one.tags,
      chain: images.layers(one).map(({ chainId }) => chainId),
    }))
    out.line(`Image ID: ${shortDigest(image.id)}`)
    out.line(`Tags:     ${namesOf(image.tags)}`)
    out.line(`Size:     ${formatSize(image.sizeBytes)}`)
    if (flags.whatrequires) {
      const top = layers.at(-1)?.chainId
      const above = all.filter(({ id, chain }) => id !== image.id && top !== undefined && chain.includes(top))
      for (const one of above) out.line(`├── ID: ${shortDigest(one.id)} Top Layer of: ${namesOf(one.tags)}`)
      return
    }
    out.line("Image Layers")
    for (const [index, { chainId, sizeBytes }] of layers.entries()) {
      const ending = all.filter(({ chain }) => chain.at(-1) === chainId).flatMap(({ tags }) => tags)
      const branch = index === layers.length - 1 ? "└──" : "├──"
      const top = ending.length === 0 ? "" : ` Top Layer of: ${namesOf(ending)}`
      out.line(`${branch} ID: ${shortDigest(chainId)} Size: ${formatSize(sizeBytes).padStart(7)}${top}`)
    }
  },
})

function namesOf(tags: readonly string[]): string {
  return `[${tags.map((tag) => familiarReference(parseReference(tag))).join(" ")}]`
}
