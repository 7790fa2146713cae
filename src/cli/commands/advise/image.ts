import { adviseImage } from "../../../advise/advise.ts"
import { familiarReference, parseReference, type Image, type Images } from "../../../image/image.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { adviceText } from "../../advise/advice-table.ts"
import { NO_LOOKS } from "../../advise/scan-defaults.ts"

export default command({
  summary: "Say what makes an image smaller and safer, with the bytes of each line",
  args: [arg.one("IMAGE", "images")],
  flags: {
    format: flag.choice(["text", "json"] as const, "Form of the output", { initial: "text" }),
    json: flag.bool("Print one JSON array"),
  },
  async run({ args: [name], flags, engine, out }) {
    const [images, scans] = await Promise.all([engine.images(), engine.scans()])
    const image = images.get(name)
    await using subject = await scans.open({ kind: "image", name }, NO_LOOKS)
    const layers = subject.layers.flatMap(({ createdBy, dockerfile, open }) =>
      open === undefined
        ? []
        : [
            {
              ...(createdBy === undefined ? {} : { createdBy }),
              ...(dockerfile === undefined ? {} : { dockerfile }),
              open,
            },
          ],
    )
    const advice = adviseImage({ config: await images.config(image), layers, ...basesOf(images, image) })
    if (flags.json || flags.format === "json") return out.json(advice)
    out.text(adviceText(name, advice))
  },
})

/** Images of the store whose layers this one begins with, and smaller ones of the same maker, or that are small by design. */
function basesOf(images: Images, image: Image) {
  const chainOf = (one: Image) => images.layers(one).map(({ chainId }) => chainId)
  const chain = chainOf(image)
  const named = images.list().flatMap((one) => {
    const [tag] = one.tags
    return tag === undefined || one.id === image.id
      ? []
      : [{ one, name: familiarReference(parseReference(tag)), layers: chainOf(one) }]
  })
  const bases = named
    .filter(
      ({ layers }) =>
        layers.length > 0 && layers.length < chain.length && layers.every((id, index) => id === chain[index]),
    )
    .map(({ one, name, layers }) => ({ name, sizeBytes: one.sizeBytes, layers: layers.length }))
    .toSorted((a, b) => b.layers - a.layers)
  const [base] = bases
  const repository = base?.name.replace(/:[^:/]*$/, "") ?? ""
  const lighter = named
    .filter(({ name }) => name !== base?.name && (name.startsWith(`${repository}:`) || LIGHT.test(name)))
    .map(({ one, name }) => ({ name, sizeBytes: one.sizeBytes }))
    .toSorted((a, b) => a.sizeBytes - b.sizeBytes)
    .slice(0, 3)
  return { bases, lighter }
}

/** Small by design. */
const LIGHT = /(?:^|\/)(?:alpine|busybox|wolfi-base)(?::|$)|distroless|-(?:slim|alpine)(?:$|\d)|:(?:slim|alpine)/
