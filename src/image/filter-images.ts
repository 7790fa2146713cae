import { InvalidArgument } from "../base/errors.ts"
import type { Image, ImageFilter } from "./image.ts"
import type { ImageRecords } from "./records.ts"
import { familiarReference, parseReference } from "./reference.ts"

/** Keeps what all parts of `filter` let through, as docker's `images --filter`. */
export function filterImages(records: ImageRecords, images: Image[], filter: ImageFilter): Image[] {
  const { reference = [], label = [], dangling } = filter
  const before = filter.before === undefined ? undefined : created(records.get(filter.before))
  const since = filter.since === undefined ? undefined : created(records.get(filter.since))
  const patterns = reference.map(globPattern)
  return images
    .filter((image) => dangling === undefined || dangling === (image.tags.length === 0 && !records.isMember(image.id)))
    .filter((image) => before === undefined || created(image) < before)
    .filter((image) => since === undefined || created(image) > since)
    .filter((image) => label.length === 0 || hasLabels(records.labels(image.id), label))
    .flatMap((image) => (patterns.length === 0 ? [image] : onlyMatching(image, patterns, filter.looseNames)))
}

function created(image: Image): number {
  return image.createdAt?.getTime() ?? 0
}

function hasLabels(labels: Record<string, string>, wanted: readonly string[]): boolean {
  return wanted.every((text) => {
    const at = text.indexOf("=")
    return at < 0 ? Object.hasOwn(labels, text) : labels[text.slice(0, at)] === text.slice(at + 1)
  })
}

/** Whether one of the image's names fits one of the patterns, as `--filter reference=` has them. Throws InvalidArgument for what is none. */
export function hasNameLike(image: Image, patterns: readonly string[]): boolean {
  return onlyMatching(image, patterns.map(globPattern)).length > 0
}

/** The image with the names that match only, as docker lists it; nothing when none does. */
function onlyMatching(image: Image, patterns: readonly RegExp[], looseNames = false): Image[] {
  const matches = (name: string) => {
    const ref = parseReference(name)
    const { registry, repository } = ref
    const strict = [familiarReference(ref), familiarReference({ registry, repository }), name]
    const forms = looseNames ? [...strict, ...tailsOf(name), ...tailsOf(`${registry}/${repository}`)] : strict
    return patterns.some((pattern) => forms.some((form) => pattern.test(form)))
  }
  const tags = image.tags.filter(matches)
  const repoDigests = image.repoDigests.filter(matches)
  return tags.length + repoDigests.length === 0 ? [] : [{ ...image, tags, repoDigests }]
}

/** `a/b/c` as `b/c` and `c`. */
function tailsOf(name: string): string[] {
  const parts = name.split("/")
  return parts.map((_, at) => parts.slice(at).join("/"))
}

/** Go's path.Match: `*` and `?` stop at a slash, `[a-z]` and `[^a-z]` are one character, a backslash takes the next as it is. */
function globPattern(glob: string): RegExp {
  const source = glob.replace(/\\(.)|\[(\^?)([^\]]+)\]|[*?]|[^*?[\\]+|./gs, (part, escaped, not, set) => {
    if (escaped !== undefined) return escapeRegExp(escaped)
    if (set !== undefined) return `[${not}${set.replace(/[[\]\\]/g, "\\$&")}]`
    if (part === "*") return "[^/]*"
    return part === "?" ? "[^/]" : escapeRegExp(part)
  })
  try {
    return new RegExp(`^${source}$`, "u")
  } catch (cause) {
    throw new InvalidArgument(`invalid pattern "${glob}"`, { cause })
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
}
