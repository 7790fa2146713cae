import { formatSize } from "../../../base/sizes.ts"
import { parseReference, type Image } from "../../../image/image.ts"
import { arg } from "../../args.ts"
import { refused, withoutValue } from "../../build/foreign-flag.ts"
import { command } from "../../command.ts"
import { booleanFilter, parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { formatAgo, formatMoment } from "../../../docker/ages.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

const FILTERS = ["after", "before", "dangling", "id", "label", "readonly", "reference", "since"] as const
const SHORT_ID = 12

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
      : images.filter((image) => id === undefined || id.some((one) => hex(image).startsWith(one)))
    if (flags.json) return out.json(found.map((image) => document(image, flags.noTrunc)))
    const rows = found.flatMap((image) => rowsOf(image, flags.noTrunc))
    const digest = flags.digests ? "{{.Digest}}\t" : ""
    printList(out, flags.quiet ? [...new Map(rows.map((row) => [row.ID, row])).values()] : rows, flags, {
      titles: TITLES,
      table: `table {{.Name}}\t{{.Tag}}\t${digest}{{.ID}}\t{{.CreatedAt}}\t{{.Size}}`,
      quiet: "{{.ID}}",
    })
  },
})

const TITLES = {
  Name: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  ID: "IMAGE ID",
  CreatedAt: "CREATED",
  Created: "CREATED",
  CreatedAtRaw: "CREATED AT",
  Size: "SIZE",
  ReadOnly: "R/O",
}

/** One for each name, in full. */
function rowsOf(image: Image, isWhole: boolean) {
  const names = image.tags.map((text) => parseReference(text))
  const shown = names.map(({ registry, repository, tag }) => ({ Name: `${registry}/${repository}`, Tag: tag }))
  const { ID, CreatedAt, Created, CreatedAtRaw, Size } = factsOf(image, isWhole)
  return (shown.length > 0 ? shown : [{ Name: "<none>", Tag: "<none>" }]).map(({ Name, Tag }) => ({
    Name,
    Tag,
    ID,
    Digest: image.manifest.digest,
    CreatedAt,
    Created,
    CreatedAtRaw,
    Size,
    ReadOnly: "false",
  }))
}

function factsOf(image: Image, isWhole: boolean) {
  const created = image.createdAt ?? new Date(0)
  return {
    ID: isWhole ? image.id : hex(image).slice(0, SHORT_ID),
    CreatedAt: formatAgo(created, new Date()),
    Created: Math.floor(created.getTime() / 1000),
    CreatedAtRaw: formatMoment(created),
    Size: formatSize(image.sizeBytes),
  }
}

/** buildah's names of the fields. */
function document(image: Image, isWhole: boolean): object {
  const { ID, CreatedAt, Created, Size } = factsOf(image, isWhole)
  return {
    id: ID,
    names: image.tags,
    digest: image.manifest.digest,
    createdat: CreatedAt,
    size: Size,
    created: Created,
    createdatraw: image.createdAt?.toISOString() ?? "",
    readonly: false,
    history: null,
  }
}

function hex({ id }: Image): string {
  return id.replace("sha256:", "")
}
