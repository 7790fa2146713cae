import type { Engine } from "../../../engine/engine.ts"
import type { Image } from "../../../image/image.ts"
import { parseTimestamp } from "../../../spec/docker/timestamp.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { booleanFilter, parseFilters } from "../../filters.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printImageTree } from "../../output/image-tree.ts"
import { printList } from "../../output/list.ts"

const SORT_KEYS = ["created", "id", "repository", "size", "tag"] as const
const FILTERS = [
  "after",
  "before",
  "containers",
  "dangling",
  "digest",
  "id",
  "intermediate",
  "label",
  "label!",
  "manifest",
  "readonly",
  "reference",
  "since",
  "until",
] as const

export default command({
  summary: "List images",
  args: [arg.optional("REPOSITORY[:TAG]", "images")],
  flags: {
    all: flag.bool("Show all images (default hides intermediate images)", { short: "a" }),
    digests: flag.bool("Show digests"),
    filter: flag.strings("Filter output based on conditions provided", "filter", { short: "f" }),
    ...LIST_FORMAT_FLAGS,
    history: flag.bool("Show the names that the image has had"),
    noheading: flag.bool("Do not print column headings", { short: "n" }),
    noTrunc: flag.bool("Don't truncate output"),
    sort: flag.choice(SORT_KEYS, `Sort by ${SORT_KEYS.join(", ")}`),
    tree: flag.bool("Show names with the images of each platform"),
    quiet: flag.bool("Only show image IDs", { short: "q" }),
  },
  async run({ args: [name], flags, engine, out, dialect }) {
    const filters = parseFilters(flags.filter, FILTERS)
    const { dangling, before, since = filters.after, label, "label!": notLabel, reference, ...others } = filters
    const hasContainers = booleanFilter(others.containers, "containers")
    const store = await engine.images()
    const unwanted = new Set((notLabel ?? []).flatMap((one) => store.list({ label: [one] }).map(({ id }) => id)))
    const listed = store.list({
      label,
      reference,
      looseNames: dialect.results.looseNames,
      ...(name === undefined ? {} : { reference: [name] }),
      dangling: booleanFilter(dangling, "dangling"),
      before: before?.at(-1),
      since: since?.at(-1),
    })
    const used = hasContainers === undefined ? undefined : await usedImages(engine)
    const found = listed
      .filter(({ id }) => !unwanted.has(id) && used?.has(id) === hasContainers)
      .filter(otherFilter(others))
    if (flags.tree) return printImageTree(out, store, found, flags.noTrunc)
    const list = (await dialect.lists()).images(flags)
    const options = { ...flags, only: name, now: new Date() }
    const rows = sorted(found, flags.sort).flatMap((image) => list.rows(image, options))
    if (flags.sort === "repository" || flags.sort === "tag") sortRows(rows, flags.sort)
    printList(out, flags.quiet ? unique(rows) : rows, flags, list)
  },
})

/** Those that a container was made of. */
async function usedImages(engine: Engine): Promise<Set<string>> {
  return new Set((await engine.containers()).list({ all: true }).map(({ imageId }) => imageId))
}

/** Filters of podman's that need no records. `intermediate` images and `readonly` ones there are none. */
function otherFilter(filters: ReturnType<typeof parseFilters<(typeof FILTERS)[number]>>): (image: Image) => boolean {
  const { id, digest, until, intermediate, readonly, manifest } = filters
  const before = until === undefined ? undefined : parseTimestamp(until.at(-1) ?? "")
  const asksForNone = [
    booleanFilter(intermediate, "intermediate"),
    booleanFilter(readonly, "readonly"),
    booleanFilter(manifest, "manifest"),
  ].includes(true)
  return (image) =>
    !asksForNone &&
    (id?.some((text) => image.id.replace("sha256:", "").startsWith(text.replace("sha256:", ""))) ?? true) &&
    (digest?.some((text) => image.manifest.digest.startsWith(text)) ?? true) &&
    (before === undefined || (image.createdAt ?? new Date(0)) < before)
}

function sorted(images: readonly Image[], key: (typeof SORT_KEYS)[number] | undefined): readonly Image[] {
  if (key === "size") return images.toSorted((a, b) => a.sizeBytes - b.sizeBytes)
  return key === "id" ? images.toSorted((a, b) => (a.id < b.id ? -1 : 1)) : images
}

/** By a field that is a line's, and no image's. */
function sortRows(rows: object[], key: "repository" | "tag"): void {
  const textOf = (row: object): string => {
    const { Repository, Tag } = row as { Repository: string; Tag: string }
    return key === "tag" ? Tag : `${Repository}:${Tag}`
  }
  rows.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
}

/** `-q` names an image once, however many names it has. */
function unique(rows: readonly object[]): object[] {
  return [...new Map(rows.map((row) => [(row as { ID: string }).ID, row])).values()]
}
