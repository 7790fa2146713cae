/** Flags whose value is a secret, which nothing that is kept may show. */
const SECRET = new Set(["--creds"])

/**
 * The command line of a `run` or `create` as its container remembers it, without the passwords for the registry. `words`: those of the
 * program, which are nobody's flags. Pure.
 */
export function keptCommand(argv: readonly string[], words: readonly string[]): string[] {
  const end = argv.length - words.length
  return argv.filter((word, index) => {
    if (index >= end) return true
    const [name = ""] = word.split("=", 1)
    return !SECRET.has(name) && !SECRET.has(argv[index - 1] ?? "")
  })
}
