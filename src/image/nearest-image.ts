import { nearest } from "../base/suggest.ts"
import { familiarReference, parseReference } from "./reference.ts"

/**
 * Of the names of images (in full), the one that was probably meant by `text`, as people type it: the same repository under
 * another tag, wherever it is from, else one that is at most two letters off. Undefined when none is near.
 */
export function nearestImage(text: string, names: readonly string[]): string | undefined {
  const wanted = split(text)
  const all = names.map((name) => {
    const familiar = familiarReference(parseReference(name))
    return { familiar, ...split(familiar) }
  })
  const repository = all.some((each) => each.repository === wanted.repository)
    ? wanted.repository
    : nearest(wanted.repository, new Set(all.map((each) => each.repository)))
  const near = all.filter((each) => each.repository === repository)
  const tags = near.map(({ tag }) => tag)
  const tag = tags.includes(wanted.tag) ? wanted.tag : nearest(wanted.tag, tags)
  // `12` and `12-slim` are further apart than letters tell
  const isLonger = (each: string) => each.startsWith(wanted.tag) || wanted.tag.startsWith(each)
  const found = near.find((each) => each.tag === tag) ?? near.find((each) => isLonger(each.tag)) ?? near[0]
  return found?.familiar
}

/** Repository and tag; what was made here is compared by its bare name. */
function split(text: string): { repository: string; tag: string } {
  const [, repository = "", tag = "latest"] = /^(?:localhost\/)?(.*?)(?::([^:/]*))?$/.exec(text) ?? []
  return { repository, tag }
}
