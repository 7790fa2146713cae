import {
  BUILDER_IMAGE_TITLES,
  builderImageListDocument,
  builderImageRows,
  idDigits,
} from "../../../docker/builder-image-row.ts"
import { arg } from "../../args.ts"
import { refused, withoutValue } from "../../build/foreign-flag.ts"
import { command } from "../../command.ts"
import { booleanFilter, parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

const FILTERS = ["after", "before", "dangling", "id", "label", "readonly", "reference", "since"] as const

export default command({
  summary: "List images in Buildah's format",
  args: [arg.optional("IMAGE", "images")],
  flags: {
    all: flag.bool("Show all images", { short: "a" }),
    digests: flag.bool("Show the image digests"),
    filter: flag.strings(`Filter output based on conditions provided (${FILTERS.join(", ")})`, "filter", {
      short: "f",
    }),
    history: withoutValue(refused("names that an image had before are not kept"), "true"),
    ...LIST_FORMAT_FLAGS,
    noheading: flag.bool("Do not print column headings", { short: "n" }),
    noTrunc: flag.bool("Do not truncate output"),
    quiet: flag.bool("Display only image IDs", { short: "q" }),
  },
  async run({ args: [name], flags, engine, out }) {
    const { dangling, before, since, after, id, readonly, label, reference = [] } = parseFilters(flags.filter, FILTERS)
    // there are no read-only stores
    const isNone = booleanFilter(readonly, "readonly") === true
    const images = (await engine.images()).list({
      label,
      reference: name === undefined ? reference : [...reference, name],
      dangling: booleanFilter(dangling, "dangling"),
      before: before?.at(-1),
      since: since?.at(-1) ?? after?.at(-1),
    })
    const found = isNone
      ? []
      : images.filter((image) => id === undefined || id.some((one) => idDigits(image).startsWith(one)))
    if (flags.json) return out.json(found.map((image) => builderImageListDocument(image, flags.noTrunc)))
    const rows = found.flatMap((image) => builderImageRows(image, flags.noTrunc))
    const digest = flags.digests ? "{{.Digest}}\t" : ""
    printList(out, flags.quiet ? [...new Map(rows.map((row) => [row.ID, row])).values()] : rows, flags, {
      titles: BUILDER_IMAGE_TITLES,
      table: `table {{.Name}}\t{{.Tag}}\t${digest}{{.ID}}\t{{.CreatedAt}}\t{{.Size}}`,
      quiet: "{{.ID}}",
    })
  },
})
