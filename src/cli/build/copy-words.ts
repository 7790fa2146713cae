import { isAbsolute, join, resolve } from "node:path"
import { InvalidArgument } from "../../base/errors.ts"
import { readText } from "../container-options.ts"
import { USAGE_EXIT_CODE } from "../parse-flags.ts"
import { REGISTRY_FLAGS } from "../registry-flags.ts"
import { flag, type FlagValues } from "../flag.ts"

/** Flags of `builder copy` and `builder add`, with buildah's texts. */
export const COPY_FLAGS = {
  addHistory: flag.bool("Add a line for this to the image's history"),
  chmod: flag.string("Set the access permissions of the destination content"),
  chown: flag.string("Set the user and group ownership of the destination content"),
  contextdir: flag.string("Context directory path", "string"),
  exclude: flag.strings("Leave out what fits this pattern", "list"),
  from: flag.string("Source container name, or image, of the content"),
  ignorefile: flag.string("File of patterns to leave out, as .dockerignore has them"),
  quiet: flag.bool("Don't output a digest of the newly-added/copied content", { short: "q" }),
  retry: REGISTRY_FLAGS.retry,
  retryDelay: REGISTRY_FLAGS.retryDelay,
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
    ...(flags.ignorefile === undefined ? {} : { ignore: ignoreOf(contextdir, flags.ignorefile) }),
    digest: !flags.quiet,
    addHistory: flags.addHistory || process.env.BUILDAH_HISTORY === "true",
    ...(chmod === undefined ? {} : { chmod }),
    ...(chown === undefined ? {} : { chown }),
    ...(from === undefined ? {} : { from }),
  }
}

function ignoreOf(contextDir: string | undefined, file: string): { folder: string; text: string } {
  if (contextDir === undefined)
    throw new InvalidArgument("--ignorefile needs --contextdir, whose paths it names", { exitCode: USAGE_EXIT_CODE })
  return { folder: resolve(contextDir), text: readText(file, "ignore file") }
}
