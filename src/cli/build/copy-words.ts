import { isAbsolute, join } from "node:path"
import { flag, type FlagValues } from "../flag.ts"

/** Flags of `builder copy` and `builder add`, with buildah's texts. */
export const COPY_FLAGS = {
  chmod: flag.string("Set the access permissions of the destination content"),
  chown: flag.string("Set the user and group ownership of the destination content"),
  contextdir: flag.string("Context directory path", "string"),
  exclude: flag.strings("Leave out what fits this pattern", "list"),
  from: flag.string("Source container name, or image, of the content"),
  quiet: flag.bool("Don't output a digest of the newly-added/copied content", { short: "q", hidden: true }),
}

/** Sources, and the last word as their target; a single word is a source for the working directory. */
export function copyWords(words: readonly string[], flags: FlagValues<typeof COPY_FLAGS>) {
  const sources = words.length === 1 ? words : words.slice(0, -1)
  const { contextdir, chmod, chown, from, exclude } = flags
  const isPlain = (word: string) => contextdir === undefined || isAbsolute(word) || /^https?:\/\//.test(word)
  return {
    sources: sources.map((word) => (isPlain(word) ? word : join(contextdir ?? "", word))),
    target: words.length === 1 ? undefined : words.at(-1),
    exclude,
    ...(chmod === undefined ? {} : { chmod }),
    ...(chown === undefined ? {} : { chown }),
    ...(from === undefined ? {} : { from }),
  }
}
