import { resolve } from "node:path"
import { readText } from "../container-options.ts"
import { UsageError } from "../errors/usage-error.ts"
import { REGISTRY_FLAGS } from "../registry-flags.ts"
import { flag, type FlagValues } from "../flag.ts"

/** Flags of `builder copy` and `builder add`, with buildah's texts. */
export const COPY_FLAGS = {
  addHistory: flag.bool("Add an entry for this to the image's history"),
  chmod: flag.string("Set the access permissions of the destination content"),
  chown: flag.string("Set the user and group ownership of the destination content"),
  contextdir: flag.string("Directory of the sources; paths outside of it are refused", "string"),
  exclude: flag.strings("Leave out files that match this pattern", "list"),
  from: flag.string("Source container name, or image, of the content"),
  ignorefile: flag.string("File with patterns of what to leave out, in the format of .dockerignore"),
  quiet: flag.bool("Don't output a digest of the newly-added/copied content", { short: "q" }),
  retry: REGISTRY_FLAGS.retry,
  retryDelay: REGISTRY_FLAGS.retryDelay,
}

/** Sources, and the last word as their target; a single word is a source for the working directory. */
export function copyWords(words: readonly string[], flags: FlagValues<typeof COPY_FLAGS>) {
  const { chmod, chown, from, exclude, retry: retries, retryDelay: retryDelayMs } = flags
  return {
    sources: words.length === 1 ? words : words.slice(0, -1),
    target: words.length === 1 ? undefined : words.at(-1),
    exclude,
    access: { retries, retryDelayMs },
    digest: !flags.quiet,
    addHistory: flags.addHistory || process.env.BUILDAH_HISTORY === "true",
    ...contextOf(flags),
    ...(chmod === undefined ? {} : { chmod }),
    ...(chown === undefined ? {} : { chown }),
    ...(from === undefined ? {} : { from }),
  }
}

function contextOf({ contextdir, ignorefile }: FlagValues<typeof COPY_FLAGS>) {
  if (contextdir !== undefined) {
    const ignored = ignorefile === undefined ? {} : { ignored: readText(ignorefile, "ignore file") }
    return { context: { directory: resolve(contextdir), ...ignored } }
  }
  if (ignorefile === undefined) return {}
  throw new UsageError("--ignorefile needs --contextdir, whose paths it names")
}
